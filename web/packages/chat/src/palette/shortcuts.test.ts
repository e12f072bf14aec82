import { expect, test } from "vitest";
import { isMac, shortcutOf } from "./shortcuts";

const press = (key: string, more: object = {}) => ({
  key,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  ...more,
});

test("the palette opens with the key of the system, also while typing", () => {
  expect(shortcutOf(press("k", { ctrlKey: true }), true, false)).toBe("palette");
  expect(shortcutOf(press("K", { metaKey: true }), true, true)).toBe("palette");
  expect(shortcutOf(press("k", { ctrlKey: true }), false, true)).toBeNull();
});
test("plain letters are text while typing", () => {
  expect(shortcutOf(press("?", { shiftKey: true }), true, false)).toBeNull();
  expect(shortcutOf(press("?", { shiftKey: true }), false, false)).toBe("help");
  expect(shortcutOf(press("/"), false, false)).toBe("search");
});
test("Alt and arrows change the conversation", () => {
  expect(shortcutOf(press("ArrowDown", { altKey: true }), true, false)).toBe("next");
  expect(shortcutOf(press("ArrowUp", { altKey: true }), false, true)).toBe("previous");
});
test("platforms", () => {
  expect(isMac("MacIntel")).toBe(true);
  expect(isMac("Linux x86_64")).toBe(false);
});
