import { expect, test } from "@playwright/test";
import { judged } from "../support/axe.ts";

test("axe finds what is wrong, each time it is asked", async ({ page }) => {
  const text = '<p style="color:#767676;background:#fff">Grey on white, at four and a half to one</p>';
  await page.setContent(`<!doctype html><html lang="en"><title>t</title><main><h1>Title</h1>${text}</main></html>`);
  expect(await judged(page)).toEqual([]);
  expect(await judged(page, { "color-contrast-enhanced": true })).toEqual(["color-contrast-enhanced: p"]);
  await page.locator("h1").evaluate((title) => title.insertAdjacentHTML("afterend", '<img src="data:,">'));
  expect(await judged(page)).toEqual(["image-alt: img"]);
});
