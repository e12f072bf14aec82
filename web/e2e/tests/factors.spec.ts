import { anotherLeads, PASSWORD, PIN } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";

test("a wrong PIN and a wrong password are told apart, and neither locks the owner out", async ({ phones }) => {
  const phone = await phones.ready();
  await phone.page.reload();
  await phone.unlock("111222");
  await expect(
    phone.page
      .getByRole("alert")
      .or(phone.page.getByText(/wrong|not right|differs/i))
      .first(),
  ).toBeVisible();
  await phone.unlock(PIN);
  await phone.expectReady();
  await phone.go(`/settings/account`);
  await phone.page.getByRole("button", { name: "Log out here" }).click();
  await phone.page.getByRole("button", { name: "Log out", exact: true }).click();
  await phone.login("not the password at all");
  const factors = phone.page.getByRole("list", { name: "Factors of the login" });
  await expect(factors).toBeVisible();
  await expect(
    phone.page.getByText("A forgotten password is replaced with a voucher.", { exact: false }),
  ).toBeVisible();
  await phone.login(PASSWORD);
  // Back where the owner was.
  await expect(phone.page.getByRole("button", { name: "Log out here" })).toBeEnabled({ timeout: 60_000 });
});

test("a forgotten password is replaced with a voucher that two administrators signed", async ({
  browser,
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  const { page } = phone;
  const desk = await browser.newPage();
  await desk.goto(demo.desk);
  const row = desk.getByRole("listitem").filter({ hasText: phone.person.name.en });
  await row.getByRole("button", { name: "New password" }).click();
  const paper = desk.getByRole("textbox", { name: "Enrolment card" });
  await expect(paper).toHaveValue(/^PKW1\./);
  const voucher = await paper.inputValue();
  await desk.close();

  await phone.go("/settings/account");
  await page.getByRole("button", { name: "Log out here" }).click();
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  const renewed = "marble harvest violet compass";
  const replace = async () => {
    await page.getByRole("button", { name: "I forgot my password" }).click();
    await page.getByRole("textbox", { name: "Voucher" }).fill(voucher);
    await page.getByLabel("New password", { exact: true }).fill(renewed);
    await page.getByLabel("Password again", { exact: true }).fill(renewed);
    await page.getByRole("button", { name: "Set the password" }).click();
  };
  await replace();
  await expect(page.getByRole("heading", { name: "The new password is set" })).toBeVisible();
  await page.getByRole("button", { name: "To the login" }).click();
  await phone.login(PASSWORD);
  await expect(
    page.getByText("A forgotten password is replaced with a voucher.", { exact: false }),
    "the old password is refused",
  ).toBeVisible();
  // A voucher is good once.
  await replace();
  await expect(
    page
      .getByRole("alert")
      .or(page.getByText("used", { exact: false }))
      .first(),
  ).toBeVisible();
  await page.getByRole("button", { name: "Back" }).click();
  await phone.login(renewed);
  await expect(page.getByRole("button", { name: "Log out here" })).toBeEnabled({ timeout: 60_000 });
});

test("a revoked phone is cut off while it is connected", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  await phone.send("Still here.");
  await phone.expectStatus("Still here.", "Sent");
  await demo.revokeNewest(phone.person);
  await expect(phone.page.getByRole("heading", { name: "This device has been cut off" })).toBeVisible();
  await phone.page.reload();
  await expect(phone.page.getByRole("heading", { name: /Enter your PIN|This device has been cut off/ })).toBeVisible();
});

test("a second phone is approved by the first and then gets what is written", async ({ demo, phones }) => {
  const first = await phones.ready();
  const card = await demo.card(first.person);
  expect(card.device).toBe(2);
  const second = await phones.open(first.person, card.phone);
  await second.enrol(card);
  await second.login();
  await expect(second.page.getByRole("heading", { name: "Approve this device" })).toBeVisible();
  const code = await second.page.getByLabel("Code of this device").innerText();
  await first.go(`/devices`);
  await expect(first.page.getByText("SIM proven by the card").first()).toBeVisible();
  await first.page.getByRole("button", { name: "Compare and approve" }).first().click();
  await first.page.getByRole("textbox", { name: "Code on the new device" }).fill(code);
  await first.page.getByRole("dialog").getByRole("button", { name: "Compare and approve" }).click();
  await second.expectReady();
  await first.writeTo(demo.answering());
  await first.send("Both of my phones know this.");
  await second.openChat(demo.answering().name.en);
  await expect(second.message("Both of my phones know this.")).toBeVisible({ timeout: 30_000 });
});

test("two tabs of one phone show the same, and the second goes on when the first is closed", async ({
  demo,
  phones,
}) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  const other = await phone.tab(new URL(phone.page.url()).pathname);
  await expect(other.getByRole("textbox", { name: "Message", exact: true })).toBeVisible();
  await phone.send("From the first tab.");
  await expect(other.getByRole("article").filter({ hasText: "From the first tab." })).toBeVisible();
  await anotherLeads(other, () => phone.page.close());
  await other.getByRole("textbox", { name: "Message", exact: true }).fill("From the second tab.");
  await other.getByRole("button", { name: "Send", exact: true }).click();
  await expect(other.getByRole("article").filter({ hasText: "From the second tab." })).toHaveAccessibleName(
    /Sent|Delivered|Read/,
    { timeout: 30_000 },
  );
});
