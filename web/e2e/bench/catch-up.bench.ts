/** Messages that came while the phone was away: fetched, decrypted and stored one by one, as they must be. */

import { expect, test } from "../support/test.ts";
import { figure, note } from "./figures.ts";

test("catching up", async ({ demo, phones }) => {
  const phone = await phones.ready();
  const { page } = phone;
  // Connected once, so that others can write to it.
  await phone.writeTo(demo.answering());
  await phone.send("Assalam-o-alaikum.");
  await phone.expectStatus("Assalam-o-alaikum.", "Delivered");
  await page.goto("about:blank");
  const { letters } = await demo.letters(phone.person);
  await page.goto(`${phone.origin}/`);
  const rows = page.locator("a[data-conversation]");
  await phone.unlock();
  // From here on the PIN is behind it, and the connection is being made.
  await expect(rows.first()).toBeVisible({ timeout: 60_000 });
  const began = performance.now();
  await expect(rows.filter({ hasText: `Letter ${letters} of ${letters}` })).toBeVisible({ timeout: 120_000 });
  const seconds = (performance.now() - began) / 1000;
  note(
    `Catching up: ${letters} messages from the real server (a debug build), connecting included, each durable by itself`,
  );
  figure("received, decrypted and stored", letters / seconds, "messages/s");
});
