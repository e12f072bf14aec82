/** A conversation of 100,000 messages: opened, jumped in, scrolled through, and what memory it takes. */

import type { Page } from "@playwright/test";
import type { Phone } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";
import { eachWorker, type WorkerTarget } from "./cdp.ts";
import { figure, median, note, quantile } from "./figures.ts";
import { makeLongConversation } from "./long-profile.ts";
import { largestRenderer } from "./processes.ts";
import { slowDown, throttled } from "./throttle.ts";

const MESSAGES = 100_000;
const OPENED = 7;
const JUMPS = 5;
/** A subscription that nobody shows lives for two seconds (`packages/chat/src/app/engine.tsx`). */
const FORGOTTEN_MS = 2_500;
const SCROLL_MS = 10_000;
/** Three and a half screens of a phone each second: faster than anybody reads, slow enough to recognise something. */
const PIXELS_PER_SECOND = 3_000;

test("a conversation of 100,000 messages", async ({ demo, phones }) => {
  const phone = await phones.ready();
  const { page } = phone;
  await phone.writeTo(demo.answering());
  await phone.send("Assalam-o-alaikum.");
  await phone.expectStatus("Assalam-o-alaikum.", "Delivered");
  const { group: short } = await page.evaluate(() => ({ group: location.pathname.split("/").at(-1) ?? "" }));

  const { group: long, seconds } = await makeLongConversation(page, phone.origin, MESSAGES);
  note(
    `${MESSAGES.toLocaleString("en")} messages: sealed rows put into the profile's IndexedDB by a build of the engine`,
  );
  note("with exports for tests; opened and measured with the shipped build, phone of 390 px, headless, not throttled");
  figure("rows made and stored", (2 * MESSAGES) / seconds, "rows/s");

  const workers: WorkerTarget[] = [];
  await eachWorker(page, async (worker) => void workers.push(worker));
  await page.goto(`${phone.origin}/`);
  await phone.unlock();
  await expect(page.locator(`a[data-conversation="${long}"]`)).toBeVisible();
  await expect(page.locator(`a[data-conversation="${short}"]`)).toBeVisible();
  const before = await memory(page, workers);

  const first = await open(phone, long);
  figure("click to first messages, first time after unlocking", first, "ms", { below: 200 });
  const times = { long: [] as number[], short: [] as number[] };
  for (let turn = 0; turn < OPENED; turn++) {
    times.long.push(await openAgain(phone, long));
    times.short.push(await openAgain(phone, short));
  }
  figure(`the same again, median of ${OPENED}`, median(times.long), "ms", { below: 200 });
  figure("slowest of these", Math.max(...times.long), "ms", { below: 200 });
  figure("for comparison, a conversation of one message", median(times.short), "ms");

  const end = await slowDown(page, "process");
  const slow: number[] = [];
  for (let turn = 0; turn < 3; turn++) slow.push(await openAgain(phone, long));
  await end();
  figure(`click to first messages, ${throttled.process}`, median(slow), "ms");

  const jumps: number[] = [];
  for (let turn = 0; turn < JUMPS; turn++) {
    await openAgain(phone, long);
    jumps.push(await jump(page));
  }
  figure("quote pressed to the message 50,000 before it, median", median(jumps), "ms");

  await openAgain(phone, long);
  const opened = await memory(page, workers);
  await scroll(page);
  const after = await memory(page, workers);
  note("Memory: list shown, conversation opened, after scrolling");
  const steps = [before, opened, after].map((each) => Object.entries(each));
  for (const [index, [what]] of (steps[0] ?? []).entries()) {
    const values = steps.map((step) => step[index]?.[1] ?? 0);
    note(`  ${what}: ${values.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(" → ")}`);
  }
});

/** Back in the list, long enough for the engine to let go of the conversation. */
async function toTheList(phone: Phone): Promise<void> {
  await phone.go("/");
  await expect(phone.page.locator("a[data-conversation]").first()).toBeVisible();
  await phone.page.waitForTimeout(FORGOTTEN_MS);
}

async function openAgain(phone: Phone, group: string): Promise<number> {
  await toTheList(phone);
  return open(phone, group);
}

/** From the click to the end of the frame that shows a message of the conversation. */
async function open(phone: Phone, group: string): Promise<number> {
  return shown(phone.page, `a[data-conversation="${group}"]`, "[role=log] article");
}

/** Clicks the first `clicked` in view and waits until a `wanted` is drawn in view. Milliseconds between. */
async function shown(page: Page, clicked: string, wanted: string): Promise<number> {
  const time = page.evaluate(
    (wanted) =>
      new Promise<number>((done) => {
        let began: number | null = null;
        addEventListener(
          "click",
          (event) => {
            began = event.timeStamp;
          },
          { capture: true, once: true },
        );
        const drawn = (element: Element) => {
          const box = element.getBoundingClientRect();
          // Rows that the list has not measured yet are there, but hidden.
          return box.bottom > 0 && box.top < innerHeight && getComputedStyle(element).visibility === "visible";
        };
        const look = () => {
          if (began === null || ![...document.querySelectorAll(wanted)].some(drawn)) {
            requestAnimationFrame(look);
            return;
          }
          // A message is delivered after the frame that this callback belongs to.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => done(performance.now() - (began ?? 0));
          port2.postMessage(0);
        };
        look();
      }),
    wanted,
  );
  await page.locator(clicked).first().click();
  return time;
}

/** Presses the newest quote in view; the message it quotes is then looked for. */
async function jump(page: Page): Promise<number> {
  const { target, quoting } = await page.evaluate(() => {
    const quotes = [...document.querySelectorAll("[role=log] article")].flatMap((row) => {
      const quote = [...row.querySelectorAll("button")].find((button) => /№ \d+/.test(button.textContent ?? ""));
      const box = quote?.getBoundingClientRect();
      const inside = box && box.top > 80 && box.bottom < innerHeight - 80;
      const number = quote?.textContent?.match(/№ (\d+)/)?.[1];
      return inside && number ? [{ target: number, quoting: row.getAttribute("data-row") ?? "" }] : [];
    });
    const last = quotes.at(-1);
    if (!last) throw new Error("no message in view answers another");
    return last;
  });
  const quote = `[role=log] article[data-row="${quoting}"] button:has-text("№ ${target}")`;
  return shown(page, quote, `[role=log] article[aria-label*="№ ${target} ·"]:not([data-row="${quoting}"])`);
}

interface Frames {
  deltas: number[];
  /** Share of the view without any row, for each frame. */
  blank: number[];
}

/** Towards older messages, by the browser's own smooth scrolling of a wheel; frames as the page sees them. */
async function scroll(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const newest = await oldestShown(page);
  await page.evaluate(() => {
    const frames: Frames = { deltas: [], blank: [] };
    Object.assign(globalThis, { frames });
    const log = document.querySelector("[role=log]");
    if (!log) throw new Error("no messages");
    let last = performance.now();
    const look = (now: number) => {
      frames.deltas.push(now - last);
      last = now;
      const view = log.getBoundingClientRect();
      let covered = 0;
      // Rows and the days between them are children of the list, which is the last child that is as high as it all.
      for (const row of log.lastElementChild?.children ?? []) {
        const box = row.getBoundingClientRect();
        if (getComputedStyle(row).visibility !== "visible") continue;
        covered += Math.max(0, Math.min(box.bottom, view.bottom) - Math.max(box.top, view.top));
      }
      frames.blank.push(Math.max(0, 1 - covered / view.height));
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const began = Date.now();
  await session.send("Input.synthesizeScrollGesture", {
    x: 195,
    y: 420,
    yDistance: (SCROLL_MS / 1000) * PIXELS_PER_SECOND,
    speed: PIXELS_PER_SECOND,
    gestureSourceType: "mouse",
    preventFling: true,
  });
  const took = Date.now() - began;
  const { deltas, blank } = await page.evaluate(() => (globalThis as unknown as { frames: Frames }).frames);
  const lines = newest - (await oldestShown(page));
  const late = deltas.filter((each) => each > 33.4).length;
  note(
    `Scrolling at ${PIXELS_PER_SECOND.toLocaleString("en")} px/s for ${(took / 1000).toFixed(1)} s, ${lines} messages, drawn by software on these cores`,
  );
  figure("frames per second", (1000 * deltas.length) / deltas.reduce((sum, each) => sum + each, 0), "fps");
  figure("frames later than 33 ms", (100 * late) / deltas.length, "%");
  figure("99 of 100 frames come within", quantile(deltas, 0.99), "ms");
  figure("longest frame", Math.max(...deltas), "ms");
  figure(
    "frames with more than a tenth of the view blank",
    (100 * blank.filter((b) => b > 0.1).length) / blank.length,
    "%",
  );
}

/** The number of the message at the top of the view. */
async function oldestShown(page: Page): Promise<number> {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll("[role=log] article")];
    const top = rows.find((row) => row.getBoundingClientRect().bottom > 100);
    return Number(top?.getAttribute("aria-label")?.match(/№ (\d+) ·/)?.[1] ?? Number.NaN);
  });
}

/** Bytes: what the page and the worker hold, and what the process takes of this machine. */
async function memory(page: Page, workers: WorkerTarget[]): Promise<Record<string, number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  const found: Record<string, number> = { "page, JavaScript": usedSize };
  const worker = workers.at(-1);
  if (worker) {
    await worker.send("HeapProfiler.collectGarbage");
    found["worker, JavaScript"] = (await worker.send<{ usedSize: number }>("Runtime.getHeapUsage")).usedSize;
    found["worker, WebAssembly memory"] = await wasmMemory(worker);
  }
  found["renderer process, private"] = largestRenderer();
  return found;
}

async function wasmMemory(worker: WorkerTarget): Promise<number> {
  const { result } = await worker.send<{ result: { objectId: string } }>("Runtime.evaluate", {
    expression: "WebAssembly.Memory.prototype",
  });
  const { objects } = await worker.send<{ objects: { objectId: string } }>("Runtime.queryObjects", {
    prototypeObjectId: result.objectId,
  });
  const sum = await worker.send<{ result: { value: number } }>("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
    returnByValue: true,
  });
  return sum.result.value;
}
