/** How often a worker that breaks down is replaced: not for ever, but what happened long ago does not count. */

/** Breakdowns one soon after the other, and when the last one was. */
export interface Breakdowns {
  readonly count: number;
  readonly last: number;
}

const MOST = 5;
/** After so long without a breakdown the ones before are forgotten: an app that stays open for weeks meets a few. */
const QUIET_MS = 5 * 60_000;

export const NONE: Breakdowns = { count: 0, last: 0 };

/** One more at `now` (milliseconds of any steady clock). */
export function another(before: Breakdowns, now: number): Breakdowns {
  return { count: now - before.last >= QUIET_MS ? 1 : before.count + 1, last: now };
}

/** Whether another worker would only break down as well. */
export function hopeless({ count }: Breakdowns): boolean {
  return count > MOST;
}
