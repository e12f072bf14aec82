import { glimpse } from "../support/glimpse.ts";
import { expect, test } from "../support/test.ts";

test("a search hit leads to a message far outside of what is loaded, marked and focused", async ({ demo, phones }) => {
  const phone = await phones.ready(undefined, { width: 1280, height: 800 });
  const { page } = phone;
  // Once the phone can be added to a conversation.
  await expect(() => demo.letters(phone.person)).toPass();
  const conversation = page.getByRole("navigation", { name: "Conversations" }).getByRole("link").first();
  await expect(conversation).toContainText("Letter 150", { timeout: 60_000 });
  await conversation.click();
  // Opened at the first unread message, the oldest; from there to the newest.
  await expect(phone.message("the file 001 is closed")).toBeVisible();
  await page.getByRole("button", { name: /new messages|Newest/ }).click();
  await expect(phone.message("the file 150 is closed")).toBeInViewport();
  await expect(phone.message("the file 003 is closed"), "not loaded any more").toHaveCount(0);

  const search = page.getByRole("searchbox", { name: "Search conversations and messages" });
  for (const number of ["003", "117", "004", "149"]) {
    await search.fill(`file ${number}`);
    const hit = page
      .getByRole("region", { name: "Messages" })
      .getByRole("link")
      .filter({ hasText: `file ${number}` });
    await expect(hit).toHaveCount(1);
    const marked = await glimpse(page, "article.animate-mark", `the file ${number} is closed`);
    await hit.click();
    await marked();
    const message = phone.message(`the file ${number} is closed`);
    await expect(message).toBeFocused();
    await expect(message).toBeInViewport({ ratio: 1 });
  }
  // Reading goes on from there with the keyboard.
  await page.keyboard.press("ArrowUp");
  await expect(phone.message("the file 148 is closed")).toBeFocused();
});
