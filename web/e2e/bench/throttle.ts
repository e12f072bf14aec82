/** A slower machine. */

import { Worker } from "node:worker_threads";
import type { Page } from "@playwright/test";

export const RATE = 4;

export type Throttle = "none" | "page" | "process";

/** What was slowed down, for whoever reads the figures. */
export const throttled: Record<Throttle, string> = {
  none: "not throttled",
  page: `page ${RATE}× slower (DevTools; the worker is not)`,
  process: `page and worker ${RATE}× slower (whole renderer process)`,
};

/** Begins to throttle; call the result to end it. `page` has to be there already, navigations keep it. */
export async function slowDown(page: Page, how: Throttle): Promise<() => Promise<void>> {
  if (how === "page") {
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: RATE });
    return async () => {
      await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
      await session.detach();
    };
  }
  if (how === "process") {
    const ended = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL("./pace.ts", import.meta.url), { workerData: { ended, rate: RATE } });
    const gone = new Promise<void>((done, failed) => worker.once("exit", () => done()).once("error", failed));
    return async () => {
      Atomics.store(ended, 0, 1);
      Atomics.notify(ended, 0);
      await gone;
    };
  }
  return async () => {};
}

/** How long a loop of arithmetic takes, in milliseconds: how much slower the throttled page really was. */
export async function pace(page: Page): Promise<number> {
  return page.evaluate(() => {
    const began = performance.now();
    let sum = 0;
    for (let i = 0; i < 100_000_000; i++) sum += i;
    return performance.now() - began + sum * 0;
  });
}
