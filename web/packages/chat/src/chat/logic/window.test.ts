import { expect, test } from "vitest";
import { atEnd, changeOf, wanted } from "./window";

const keys = (text: string) => [...text];
const steps = (before: string, after: string) => {
  const change = changeOf(keys(before), keys(after));
  return change.kind === "moved"
    ? change.steps.map((step) => `${step.keys.join("")}${step.shift ? "<" : ""}`)
    : change.kind;
};

test("older lines keep the distance from the end", () => {
  expect(steps("def", "abcdef")).toEqual(["abcdef<"]);
});
test("new lines at the end leave the start alone", () => {
  expect(steps("abc", "abcd")).toEqual(["abcd"]);
});
test("a window that slides is drawn as the union first, then cut at the other end", () => {
  expect(steps("defgh", "bcdef")).toEqual(["bcdefgh<", "bcdef"]);
  expect(steps("abcd", "cdef")).toEqual(["abcdef", "cdef<"]);
});
test("a day separator that moves up with the first line is no obstacle", () => {
  expect(steps("Ccd", "Aabcd")).toEqual(["Aabcd<"]);
  expect(steps("Ccdef", "Aabcd")).toEqual(["Aabcdef<", "Aabcd"]);
  expect(steps("Aabcd", "Ccdef")).toEqual(["Aabcdef", "Ccdef<"]);
});
test("nothing in common is a jump, the same lines are none", () => {
  expect(steps("abc", "xyz")).toBe("replaced");
  expect(steps("", "abc")).toBe("replaced");
  expect(steps("abc", "abc")).toBe("same");
});
test("a queued line that changes its key when sent is a change at the end", () => {
  expect(steps("abq", "abc")).toEqual(["abc"]);
});
test("a line that goes at the start shifts", () => {
  expect(steps("abc", "bc")).toEqual(["bc<"]);
});

test("the view sticks to the newest only near the end", () => {
  expect(atEnd({ offset: 900, viewport: 500, content: 1450 })).toBe(true);
  expect(atEnd({ offset: 500, viewport: 500, content: 1450 })).toBe(false);
});
test("lines are asked for before the edge shows", () => {
  expect(wanted({ offset: 100, viewport: 500, content: 5000 }, { older: true, newer: true })).toBe("older");
  expect(wanted({ offset: 4200, viewport: 500, content: 5000 }, { older: true, newer: true })).toBe("newer");
  expect(wanted({ offset: 2000, viewport: 500, content: 5000 }, { older: true, newer: true })).toBe(null);
  expect(wanted({ offset: 0, viewport: 500, content: 5000 }, { older: false, newer: true })).toBe(null);
});
