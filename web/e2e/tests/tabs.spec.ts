/** One phone in two tabs: what is done in one is there in the other. */

import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

/** Somebody goes over to another window. Playwright keeps every page focused, so the page is told what it would hear. */
const leave = (page: Page) => page.evaluate(() => dispatchEvent(new Event("blur")));

test("a draft follows its writer from one tab to the other", async ({ demo, phones }) => {
  const phone = await phones.ready(undefined, { width: 1280, height: 800 });
  const one = phone.page;
  await phone.writeTo(demo.answering());
  const two = await phone.tab(new URL(one.url()).pathname);
  const field = (page: Page) => page.getByRole("textbox", { name: "Message", exact: true });

  await field(one).pressSequentially("The summary is");
  await expect(field(two)).toHaveValue("The summary is");
  await leave(one);
  await field(two).press("End");
  await field(two).pressSequentially(" ready.");
  await expect(field(one)).toHaveValue("The summary is ready.");

  await test.step("whoever still writes here keeps every letter", async () => {
    // Both are written to without a tab being left: each shows its own words.
    await field(one).fill("Written in the first.");
    await field(two).pressSequentially(" Or is it?");
    await expect(field(two)).toHaveValue("The summary is ready. Or is it?");
    // Later than any draft takes to come over.
    await one.waitForTimeout(1_500);
    await expect(field(one)).toHaveValue("Written in the first.");
  });

  await test.step("it survives a reload of its tab, and is gone everywhere when it is sent", async () => {
    await leave(one);
    await field(two).fill("The summary is on your desk.");
    await expect(field(one)).toHaveValue("The summary is on your desk.");
    await two.reload();
    await expect(field(two)).toHaveValue("The summary is on your desk.");
    await field(two).press("Enter");
    for (const page of [one, two]) {
      await expect(page.getByRole("article").filter({ hasText: "on your desk" })).toHaveCount(1);
      await expect(field(page)).toHaveValue("");
    }
  });
});
