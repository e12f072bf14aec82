import { PASSWORD } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";
import { urdu } from "../support/urdu.ts";

test("everything in Urdu, from the card to an answer", async ({ demo, phones }) => {
  const phone = await phones.ready(undefined, { locale: "ur-PK", words: urdu });
  const html = phone.page.locator("html");
  await expect(html).toHaveAttribute("lang", /^ur/);
  await expect(html).toHaveAttribute("dir", "rtl");
  const other = demo.answering();
  await phone.go(`/find`);
  await phone.lookFor(other.name.ur);
  await phone.page.getByText(other.name.ur).first().click();
  await phone.page.getByRole("button", { name: urdu("Write a message"), exact: true }).click();
  await phone.send("السلام علیکم! کیا سمری تیار ہے؟");
  await expect(phone.page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
  const answer = phone.page.getByRole("article").last();
  await expect(answer).toContainText(/[\u0600-\u06ff]/);
  await phone.go(`/settings/account`);
  await phone.page.getByRole("button", { name: urdu("Log out here"), exact: true }).click();
  await phone.page.getByRole("button", { name: urdu("Log out"), exact: true }).click();
  await phone.login(PASSWORD);
  await expect(phone.page.getByRole("button", { name: urdu("Log out here"), exact: true })).toBeEnabled({
    timeout: 60_000,
  });
});
