/** SIM cards and phones: what the desk does to a card is seen by the network and by the app of its owner. */

import type { Browser } from "@playwright/test";
import type { Demo, Person } from "../support/demo.ts";
import { expect, test } from "../support/test.ts";

/** The desk's page, with somebody's row. */
async function deskOf(browser: Browser, demo: Demo, person: Person) {
  const page = await browser.newPage();
  await page.goto(demo.desk);
  await page.getByRole("searchbox", { name: "Find" }).fill(person.username);
  const row = page.getByRole("listitem").filter({ hasText: person.name.en });
  return { page, row, act: (name: string) => row.getByRole("button", { name, exact: true }).click() };
}

test("a card that is revoked leaves the network, and its owner is logged out for good", async ({
  browser,
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  // From the core: on which cell, since when.
  const there = /SIM active · phone on cell [0-9a-f]{9} “Secretariat”, tracking area 1, since /;
  await expect(row.getByText(there)).toBeVisible();
  await act("Revoke SIM");
  await expect(row.getByText("SIM revoked · phone not on the network")).toBeVisible();
  await expect(row.getByRole("button", { name: "Restore SIM" })).toBeHidden();
  await expect(phone.page.getByRole("heading", { name: "This device has been cut off" })).toBeVisible();
  await expect(phone.page.getByRole("navigation", { name: "Main" })).toBeHidden();
  await expect(row.getByText("SIM revoked · phone not on the network")).toBeVisible();
  await page.close();
});

test("a suspended card comes back, with its phone and its owner", async ({ browser, demo, phones }) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  await expect(row.getByText(/SIM active · phone on cell/)).toBeVisible();
  await act("Suspend SIM");
  await expect(row.getByText("SIM suspended · phone not on the network")).toBeVisible();
  await expect(phone.page.getByRole("heading", { name: "This device has been cut off" })).toBeVisible();
  await act("Restore SIM");
  await expect(row.getByText(/SIM active · phone on cell/)).toBeVisible();
  await phone.page.reload();
  await phone.unlock();
  await phone.login();
  await phone.expectReady();
  await page.close();
});

test("a phone that is switched off in order ends its owner's login", async ({ browser, demo, phones }) => {
  const phone = await phones.ready();
  const { page, row, act } = await deskOf(browser, demo, phone.person);
  await expect(row.getByText(/SIM active · phone on cell/)).toBeVisible();
  await act("Switch phone off");
  await expect(row.getByText("SIM active · phone not on the network")).toBeVisible();
  await expect(phone.page.getByText("You are reading without a session.", { exact: false })).toBeVisible();
  await act("Switch phone on");
  await expect(row.getByText(/SIM active · phone on cell/)).toBeVisible();
  await page.close();
});
