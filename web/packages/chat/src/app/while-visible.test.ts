import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Visibility, whileVisible } from "./while-visible.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function page() {
  const listeners = new Set<() => void>();
  const shown: Visibility & { set(hidden: boolean): void; hidden: boolean } = {
    hidden: false,
    addEventListener: (_, listener) => void listeners.add(listener),
    removeEventListener: (_, listener) => void listeners.delete(listener),
    set(hidden) {
      shown.hidden = hidden;
      for (const listener of listeners) listener();
    },
  };
  return shown;
}

test("it asks at once, again after a while, and no more once it is ended", async () => {
  const ask = vi.fn(async () => {});
  const end = whileVisible(1_000, ask, page());
  expect(ask).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(ask).toHaveBeenCalledTimes(3);
  end();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ask).toHaveBeenCalledTimes(3);
});

test("nobody asks for a page that nobody sees, and at once when somebody looks again", async () => {
  const ask = vi.fn(async () => {});
  const shown = page();
  const end = whileVisible(1_000, ask, shown);
  shown.set(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ask).toHaveBeenCalledTimes(1);
  shown.set(false);
  expect(ask).toHaveBeenCalledTimes(2);
  end();
});

test("a slow answer or a failure is waited for, and never asked for twice at once", async () => {
  let refuse: ((why: Error) => void) | undefined;
  const ask = vi.fn(() => new Promise<void>((_, no) => (refuse = no)));
  const shown = page();
  const end = whileVisible(1_000, ask, shown);
  shown.set(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ask).toHaveBeenCalledTimes(1);
  refuse?.(new Error("no connection"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ask).toHaveBeenCalledTimes(2);
  end();
});
