/** SIM cards and phones: what the desk does to a card is seen by the network and by the app of its owner. */

import type { Browser } from "@playwright/test";
import type { Demo, Person } from "../support/demo.ts";
import type { Phone } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";

/** The desk's page, with somebody's row. */
async function deskOf(browser: Browser, demo: Demo, person: Person) {
  const page = await browser.newPage();
  await page.goto(demo.desk);
  await page.getByRole("searchbox", { name: "Find" }).fill(person.username);
  const row = page.getByRole("listitem").filter({ hasText: person.name.en });
  return { page, row, act: (name: string) => row.getByRole("button", { name, exact: true }).click() };
}

/** The part of the settings about card and phone. */
async function phoneAndSim(phone: Phone) {
  await phone.go("/settings/phone");
  return phone.page.getByRole("region", { name: "Phone and SIM" });
}

test("a card that is revoked leaves the network, and its owner is logged out for good", async ({
  browser,
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  // From the core: at which place, since when.
  const there = /SIM active · phone at Secretariat, Block C, Islamabad, since /;
  await expect(row.getByText(there)).toBeVisible();
  await act("Revoke SIM");
  await expect(row.getByText("SIM revoked · phone not on the network")).toBeVisible();
  await expect(row.getByRole("button", { name: "Restore SIM" })).toBeHidden();
  await expect(phone.page.getByRole("heading", { name: "This device has been cut off" })).toBeVisible();
  await expect(phone.page.getByRole("navigation", { name: "Main" })).toBeHidden();
  await expect(row.getByText("SIM revoked · phone not on the network")).toBeVisible();
  await page.close();
});

test("a suspended card comes back, with its phone, its owner and all that was stored", async ({
  browser,
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  await expect(row.getByText(/SIM active · phone at Secretariat/)).toBeVisible();
  const colleague = demo.answering();
  await phone.writeTo(colleague);
  await phone.send("The minutes are in the file.");
  const panel = await phoneAndSim(phone);
  await expect(panel.getByText("The phone is on the network.")).toBeVisible();
  await act("Suspend SIM");
  await expect(row.getByText("SIM suspended · phone not on the network")).toBeVisible();
  const app = phone.page;
  await expect(app.getByRole("heading", { name: "Your access is suspended" })).toBeVisible();
  await expect(app.getByRole("navigation", { name: "Main" })).toBeHidden();
  await expect(app.getByRole("button", { name: /Delete/ })).toBeHidden();
  // Before it is lifted the login says why, and offers nothing worse.
  await app.getByRole("button", { name: "Log in again", exact: true }).click();
  await phone.login();
  await expect(app.getByText("is suspended for now. Nothing here is lost.", { exact: false })).toBeVisible();
  await expect(app.getByRole("button", { name: /Delete/ })).toBeHidden();
  await act("Restore SIM");
  await expect(row.getByText(/SIM active · phone at Secretariat/)).toBeVisible();
  await phone.login();
  await expect(panel.getByText("The phone is on the network.")).toBeVisible();
  await phone.openChat(colleague.name.en);
  await expect(phone.message("The minutes are in the file.")).toBeVisible();
  await page.close();
});

test("the app shows the own card and where its phone is, as the network sees it now", async ({
  browser,
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  const { page, row } = await deskOf(browser, demo, phone.person);
  await expect(row.getByText(/SIM active · phone at Secretariat/)).toBeVisible();
  const panel = await phoneAndSim(phone);
  await expect(panel.getByRole("status").getByText("The phone is on the network.")).toBeVisible();
  // By the names that the administrators of the demo gave, and by no number.
  await expect(panel.getByText("Secretariat, Block C")).toBeVisible();
  await expect(panel.getByText(/^Since \d\d:\d\d$/)).toBeVisible();
  await expect(panel.getByText("Islamabad")).toBeVisible();
  await expect(panel.getByText(/Cell|Tracking area/)).toHaveCount(0);
  await expect(panel.getByText("On the network since")).toBeVisible();
  await expect(panel.getByText("Active", { exact: true })).toBeVisible();
  await expect(panel.getByRole("heading", { name: "SIM card" }), "one's own and nobody else's").toHaveCount(1);
  await page.close();
});

test("a phone that is switched off in order ends its owner's login", async ({ browser, demo, phones }) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  await expect(row.getByText(/SIM active · phone at Secretariat/)).toBeVisible();
  await act("Switch phone off");
  await expect(row.getByText("SIM active · phone not on the network")).toBeVisible();
  await expect(phone.page.getByText("You are reading without a session.", { exact: false })).toBeVisible();
  await act("Switch phone on");
  await expect(row.getByText(/SIM active · phone at Secretariat/)).toBeVisible();
  await page.close();
});
