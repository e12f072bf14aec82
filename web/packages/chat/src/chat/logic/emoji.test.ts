import { expect, test } from "vitest";
import { EMOJI, firstEmoji } from "./emoji";

test("exactly the first emoji is taken", () => {
  expect(firstEmoji(" 👨‍👩‍👧 and more")).toBe("👨‍👩‍👧");
  expect(firstEmoji("🇵🇰🇵🇰")).toBe("🇵🇰");
  expect(firstEmoji("ok")).toBeNull();
  expect(firstEmoji("")).toBeNull();
});
test("every emoji of the picker is one, and none comes twice", () => {
  for (const emoji of EMOJI) expect(firstEmoji(emoji)).toBe(emoji);
  expect(new Set(EMOJI).size).toBe(EMOJI.length);
});
