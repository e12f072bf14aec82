/** One phone in two tabs: what is done in one is there in the other. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { built } from "../support/demo.ts";
import { expect, test } from "../support/test.ts";

const field = (page: Page) => page.getByRole("textbox", { name: "Message", exact: true });

/** Somebody goes over to another window. Playwright keeps every page focused, so the page is told what it would hear. */
const leave = (page: Page) => page.evaluate(() => dispatchEvent(new Event("blur")));

test("a draft follows its writer from one tab to the other", async ({ demo, phones }) => {
  const phone = await phones.ready(undefined, { width: 1280, height: 800 });
  const one = phone.page;
  await phone.writeTo(demo.answering());
  const two = await phone.tab(new URL(one.url()).pathname);

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

/** What the browser does now and then: a worker hears of its lock later than of everything else. */
const SLOW_LOCK = `
  const request = LockManager.prototype.request;
  LockManager.prototype.request = async function (name, ...others) {
    if (name.startsWith("pakawaaz-tab-")) await new Promise((later) => setTimeout(later, 1_000));
    return request.call(this, name, ...others);
  };
`;

test("a tab whose lock is granted late is served like any other", async ({ demo, phones }) => {
  // The tab that runs the engine takes a lock that nobody holds for the end of that tab.
  const phone = await phones.ready(undefined, { serviceWorkers: "block" });
  await phone.writeTo(demo.answering());
  let slowed = 0;
  await phone.context.route("**/assets/worker-*.js", async (route) => {
    const script = await readFile(join(built, new URL(route.request().url()).pathname), "utf8");
    // A page that is isolated from others takes no worker that is not.
    const headers = { "cross-origin-embedder-policy": "require-corp" };
    await route.fulfill({ contentType: "text/javascript", headers, body: SLOW_LOCK + script });
    slowed += 1;
  });
  const late = await phone.tab(new URL(phone.page.url()).pathname);
  for (const words of ["First", "Second", "Third"]) {
    await field(phone.page).fill(words);
    await expect(field(late)).toHaveValue(words);
    await late.waitForTimeout(1_500);
  }
  expect(slowed).toBe(1);
});
