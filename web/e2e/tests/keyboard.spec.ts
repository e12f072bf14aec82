import { expect, test } from "../support/test.ts";

test("a conversation without ever touching a mouse", async ({ demo, phones }) => {
  const phone = await phones.ready(undefined, { width: 1280, height: 800 });
  const { page } = phone;
  const other = demo.answering();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.type(other.name.en);
  await expect(
    page
      .getByRole("option", { name: new RegExp(other.name.en) })
      .or(page.getByRole("menuitem", { name: new RegExp(other.name.en) }))
      .first(),
  ).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Write a message" }).or(phone.composer()).first()).toBeVisible();
  const write = page.getByRole("button", { name: "Write a message" });
  if (await write.isVisible()) {
    await write.focus();
    await page.keyboard.press("Enter");
  }
  await expect(phone.composer()).toBeVisible();
  await phone.composer().focus();
  await page.keyboard.type("Typed, not clicked.");
  await page.keyboard.press("Enter");
  await phone.expectStatus("Typed, not clicked.", "Read");
  await page.keyboard.press("Shift+?");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.type("Settings");
  await expect(page.getByRole("menuitem", { name: /^Settings/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
});
