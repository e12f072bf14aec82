/**
 * A thread that lets the renderer processes of this process's browsers run only a part of the time. Page, worker and
 * every other thread of theirs are slowed down alike, which DevTools' own throttling of a page does not do.
 */

import { workerData } from "node:worker_threads";
import { renderers } from "./processes.ts";

const { ended, rate } = workerData as { ended: Int32Array<SharedArrayBuffer>; rate: number };
/** Long enough for timers to be exact, short against what is measured. */
const RUN_MS = 6;

function tell(ids: number[], signal: NodeJS.Signals): void {
  for (const id of ids) {
    try {
      process.kill(id, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Whether the end was told during the pause. */
const pause = (ms: number) => Atomics.wait(ended, 0, 0, ms) !== "timed-out";

let over = false;
while (!over) {
  const began = performance.now();
  over = pause(RUN_MS);
  const ids = renderers();
  tell(ids, "SIGSTOP");
  // On a busy machine this thread is late: what was run too long is stopped the longer.
  const ran = performance.now() - began;
  over ||= pause(ran * (rate - 1));
  tell(ids, "SIGCONT");
}
