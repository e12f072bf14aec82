/** The engine breaks down in the middle: the app starts another one, and the log of messages is as if nothing had been. */

import type { Page } from "@playwright/test";
import { anotherLeads, type Phone } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";

/** Exactly what a panic does: the hook is called, then a trap ends whatever was running. */
async function breakDown(page: Page): Promise<void> {
  const [worker] = page.workers();
  if (!worker) throw new Error("the tab has no worker");
  const ended = new Promise((closed) => worker.once("close", closed));
  await worker
    .evaluate(() => {
      queueMicrotask(() => {
        throw new WebAssembly.RuntimeError("unreachable");
      });
      (globalThis as unknown as { pakawaazPanic(place: string): void }).pakawaazPanic("a test");
    })
    // It may be gone before it answers.
    .catch(() => {});
  await ended;
}

/** The breakdown is said in the console, and nothing else is. */
function forgive(phone: Phone, times: number) {
  const [expected, others] = [[] as string[], [] as string[]];
  for (const each of phone.complaints)
    (/the engine broke down at|unreachable/.test(each) ? expected : others).push(each);
  expect(others).toEqual([]);
  expect(expected.filter((each) => each.includes("broke down"))).toHaveLength(times);
  phone.complaints.length = 0;
}

test("the engine breaks down while it sends: nothing is lost and nothing is sent twice", async ({ demo, phones }) => {
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first, { width: 1280, height: 800 });
  const bilal = await phones.ready(second);
  await asma.writeTo(second);
  await asma.send("Good morning.");
  await bilal.openChat(first.name.en);
  await expect(bilal.message("Good morning.")).toBeVisible();

  await test.step("with messages on their way", async () => {
    await asma.context.setOffline(true);
    for (const number of [1, 2, 3]) await asma.send(`Queued ${number}.`);
    await asma.context.setOffline(false);
    await breakDown(asma.page);
    await asma.unlock();
    await expect(asma.composer()).toBeVisible();
    for (const number of [1, 2, 3]) {
      await asma.expectStatus(`Queued ${number}.`, "Delivered");
      for (const phone of [asma, bilal])
        await expect(phone.page.getByRole("article").filter({ hasText: `Queued ${number}.` })).toHaveCount(1);
    }
  });

  await test.step("at the very moment of sending", async () => {
    for (const number of [1, 2, 3]) {
      const text = `Just now ${number}.`;
      await asma.composer().fill(text);
      await asma.go("/");
      const row = asma.page.getByRole("navigation", { name: "Conversations" }).getByRole("link").first();
      await expect(row, "the draft is kept").toContainText(text);
      await row.click();
      await expect(asma.composer()).toHaveValue(text);
      await asma.page.getByRole("button", { name: "Send", exact: true }).click({ noWaitAfter: true });
      await breakDown(asma.page);
      await asma.unlock();
      await expect(asma.composer()).toBeVisible();
      // It was taken, or it is still in the field: never both, never neither.
      await expect(asma.page.getByText("Good morning.").first()).toBeVisible();
      const sent = await asma.page.getByRole("article").filter({ hasText: text }).count();
      expect(await asma.composer().inputValue()).toBe(sent === 1 ? "" : text);
      if (sent === 0) await asma.page.getByRole("button", { name: "Send", exact: true }).click();
      await asma.expectStatus(text, "Delivered");
      for (const phone of [asma, bilal])
        await expect(phone.page.getByRole("article").filter({ hasText: text })).toHaveCount(1);
    }
  });
  forgive(asma, 4);
});

test("with two tabs, the other one goes on at once and nobody is asked for the PIN", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  const other = await phone.tab(new URL(phone.page.url()).pathname);
  const field = other.getByRole("textbox", { name: "Message", exact: true });
  await expect(field).toBeVisible();
  await anotherLeads(other, () => breakDown(phone.page));
  await field.fill("The show goes on.");
  await other.getByRole("button", { name: "Send", exact: true }).click();
  for (const page of [other, phone.page])
    await expect(page.getByRole("article").filter({ hasText: "The show goes on." })).toHaveAccessibleName(
      /Delivered|Read/,
      { timeout: 30_000 },
    );
  await expect(phone.composer()).toBeVisible();
  forgive(phone, 1);
});
