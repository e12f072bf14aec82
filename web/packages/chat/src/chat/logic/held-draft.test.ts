import { expect, test } from "vitest";
import { HeldDraft } from "./held-draft";

test("what is typed in another tab is shown here, and so is that it was sent", () => {
  const held = new HeldDraft("");
  expect(held.heard("Dear")).toBe("Dear");
  expect(held.heard("Dear")).toBe(null);
  expect(held.heard("Dear Sir")).toBe("Dear Sir");
  expect(held.heard("")).toBe("");
});

test("one's own words that come back late take no letters away", () => {
  const held = new HeldDraft("");
  held.typed();
  expect(held.heard("D")).toBe(null);
  held.typed();
  expect(held.heard("De")).toBe(null);
});

test("after this tab was left, the other one writes on", () => {
  const held = new HeldDraft("");
  held.typed();
  expect(held.heard("Dear")).toBe(null);
  held.left();
  expect(held.heard("Dear Sir")).toBe("Dear Sir");
  held.typed();
  expect(held.heard("Dear Madam")).toBe(null);
});
