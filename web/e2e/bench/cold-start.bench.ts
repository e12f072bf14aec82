/** How long it takes until something can be done, in a browser that has just been started. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "@playwright/test";
import { Phone, PIN } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";
import { figure, median, note } from "./figures.ts";
import { pace, slowDown, type Throttle, throttled } from "./throttle.ts";

const TURNS = 3;

/** Milliseconds since the navigation began. */
interface Seen {
  /** Something was drawn. */
  paint?: number;
  /** A field that can be written into. */
  field?: number;
  /** The PIN was handed over. */
  submitted?: number;
  /** A conversation in the list. */
  list?: number;
}

/** Runs in the page, from before its first script on. */
function watch() {
  const seen: Seen = {};
  Object.assign(globalThis, { seen });
  const wanted = { field: "input:enabled, textarea:enabled", list: "a[data-conversation]" };
  const look = () => {
    for (const [name, selector] of Object.entries(wanted) as ["field" | "list", string][]) {
      if (seen[name] !== undefined || !document.querySelector(selector)?.getClientRects().length) continue;
      seen[name] = Number.NaN;
      // A message is delivered after the frame that this callback belongs to.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        seen[name] = performance.now();
      };
      port2.postMessage(0);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  addEventListener(
    "submit",
    () => {
      seen.submitted = performance.now();
    },
    { capture: true },
  );
}

async function until(page: Page, name: keyof Seen): Promise<number> {
  const found = await page.waitForFunction(
    (name) => {
      const { seen } = globalThis as unknown as { seen?: Seen };
      return seen?.[name as keyof Seen] || undefined;
    },
    name,
    { timeout: 60_000 },
  );
  return (await found.jsonValue()) as number;
}

test("cold start", async ({ demo }) => {
  test.setTimeout(400_000);
  const person = demo.somebody();
  const folder = mkdtempSync(join(tmpdir(), "pakawaaz-bench-"));
  const { launchOptions, viewport } = test.info().project.use;
  const launch = (name: string): Promise<BrowserContext> =>
    chromium.launchPersistentContext(join(folder, name), { ...launchOptions, viewport: viewport ?? null });
  try {
    // A phone that has been used: enrolled, one conversation, the app kept for offline use.
    const card = await demo.card(person);
    const first = await launch("phone");
    const phone = await Phone.open({ newContext: async () => first } as unknown as Browser, person, card.phone);
    await phone.enrol(card);
    await phone.expectReady();
    await phone.writeTo(demo.answering());
    await phone.send("Assalam-o-alaikum.");
    await phone.expectStatus("Assalam-o-alaikum.", "Delivered");
    await phone.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    await first.close();

    let unthrottled = 0;
    for (const how of ["none", "page", "process"] satisfies Throttle[]) {
      const times: Record<"visit" | "unlock" | "inside" | "reload", number[]> = {
        visit: [],
        unlock: [],
        inside: [],
        reload: [],
      };
      const loops: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        const stranger = await launch(`stranger-${how}-${turn}`);
        times.visit.push(await start(stranger, person.phone, how));
        await stranger.close();

        const again = await launch("phone");
        const page = await again.newPage();
        await again.addInitScript(watch);
        const end = await slowDown(page, how);
        await page.goto(`${card.phone}/`, { waitUntil: "commit" });
        times.unlock.push(await until(page, "field"));
        await page.getByLabel("PIN", { exact: true }).fill(PIN);
        await page.getByRole("button", { name: "Unlock", exact: true }).click();
        times.inside.push((await until(page, "list")) - (await until(page, "submitted")));
        await page.reload({ waitUntil: "commit" });
        times.reload.push(await until(page, "field"));
        loops.push(await pace(page));
        await end();
        await again.close();
      }
      const target = how === "none" ? undefined : { below: 2000 };
      unthrottled ||= median(loops);
      note(`Cold start, median of ${TURNS} starts of the browser, ${throttled[how]}`);
      if (how !== "none")
        note(`a loop of arithmetic in the page took ${(median(loops) / unthrottled).toFixed(1)} times as long`);
      figure("first visit: navigation to a field for the card", median(times.visit), "ms", target);
      figure("enrolled phone: navigation to a field for the PIN", median(times.unlock), "ms", target);
      figure("PIN handed over to conversations shown", median(times.inside), "ms");
      figure("reload: to a field for the PIN", median(times.reload), "ms", target);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function start(context: BrowserContext, origin: string, how: Throttle): Promise<number> {
  const page = await context.newPage();
  await context.addInitScript(watch);
  const end = await slowDown(page, how);
  await page.goto(`${origin}/`, { waitUntil: "commit" });
  const shown = await until(page, "field");
  await end();
  expect(shown).toBeGreaterThan(0);
  return shown;
}
