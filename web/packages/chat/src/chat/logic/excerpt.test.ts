import { expect, test } from "vitest";
import { excerpt } from "./excerpt";

test("the place that was found stands in the middle", () => {
  expect(excerpt("The Budget note", "budget")).toEqual(["The ", "Budget", " note"]);
  const [before, hit] = excerpt(`${"word ".repeat(40)}canal`, "canal");
  expect(before.startsWith("…word")).toBe(true);
  expect(hit).toBe("canal");
});
test("letters of another keyboard are found too", () => {
  expect(excerpt("كامران نے لکھا", "کامران")[1]).toBe("كامران");
});
test("what is not found shows the beginning", () => {
  expect(excerpt("abc", "zz")).toEqual(["abc", "", ""]);
});
