import { expect, test } from "vitest";
import { another, type Breakdowns, hopeless, NONE } from "./restarts.ts";

const MINUTE = 60_000;
const at = (...times: number[]): Breakdowns => times.reduce(another, NONE);

test("a worker that breaks down again and again is not replaced for ever", () => {
  expect(hopeless(at(1, 2, 3, 4, 5))).toBe(false);
  expect(hopeless(at(1, 2, 3, 4, 5, 6))).toBe(true);
});

test("breakdowns are forgotten after five quiet minutes", () => {
  const five = [0, 1, 2, 3, 4].map((n) => n * MINUTE);
  const last = 4 * MINUTE;
  expect(hopeless(at(...five, last + 5 * MINUTE - 1))).toBe(true);
  expect(at(...five, last + 5 * MINUTE).count).toBe(1);
  // One every ten minutes for a day is no reason to give up.
  expect(hopeless(at(...Array.from({ length: 144 }, (_, n) => n * 10 * MINUTE)))).toBe(false);
});

test("the first breakdown counts as one, however soon it comes", () => {
  expect(at(0).count).toBe(1);
  expect(at(10 * MINUTE).count).toBe(1);
});
