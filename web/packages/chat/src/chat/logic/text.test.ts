import { expect, test } from "vitest";
import { directionOf, FOLD_CHARACTERS, folded, harmlessName, oneLine, onlyEmoji, piecesOf } from "./text";

const ali = { official: "1", name: { en: "Ali", ur: "علی" }, username: "ali.raza" };
const aliKhan = { official: "2", name: { en: "Ali Khan", ur: "علی خان" }, username: "ali.khan" };
const show = (text: string, members = [ali, aliKhan]) =>
  piecesOf(text, members).map((piece) =>
    piece.kind === "text"
      ? piece.text
      : piece.kind === "link"
        ? `[${piece.text}]`
        : `{${piece.official}:${piece.text}}`,
  );

test("the longest name wins and a longer word is no mention", () => {
  expect(show("@Ali Khan, @ali and @Alina")).toEqual(["{2:@Ali Khan}", ", ", "{1:@ali}", " and @Alina"]);
  expect(show("سلام @علی خان!")).toEqual(["سلام ", "{2:@علی خان}", "!"]);
});
test("pieces put together are the text", () => {
  const text = "see (https://example.gov.pk/a_(b)), then https://x.pk. @Ali";
  expect(
    piecesOf(text, [ali])
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});
test("links end before the sentence does", () => {
  expect(show("(https://example.gov.pk/a_(b)), https://x.pk۔")).toEqual([
    "(",
    "[https://example.gov.pk/a_(b)]",
    "), ",
    "[https://x.pk]",
    "۔",
  ]);
});
test("only http and https become links", () => {
  expect(show("javascript:alert(1) data:text/html,x xhttps://y.pk")).toEqual([
    "javascript:alert(1) data:text/html,x xhttps://y.pk",
  ]);
});
test("long texts fold, by characters and by lines, never within a character", () => {
  expect(folded("short")).toBeNull();
  expect(folded("a\n".repeat(40))?.split("\n").length).toBe(18);
  const long = "😀".repeat(FOLD_CHARACTERS);
  const part = folded(long) as string;
  expect(part.length).toBeLessThanOrEqual(FOLD_CHARACTERS);
  expect(long.startsWith(part) && !/[\uD800-\uDBFF]$/.test(part)).toBe(true);
  expect(folded("x".repeat(FOLD_CHARACTERS + 20))).toBeNull();
});
test("emoji alone are recognised", () => {
  expect(onlyEmoji("👍")).toBe(true);
  expect(onlyEmoji("👨‍👩‍👧 🇵🇰")).toBe(true);
  expect(onlyEmoji("ok 👍")).toBe(false);
  expect(onlyEmoji("1")).toBe(false);
  expect(onlyEmoji("👍👍👍👍")).toBe(false);
});
test("the first strong letter decides the direction", () => {
  expect(directionOf("12: سلام hello")).toBe("rtl");
  expect(directionOf("… hello سلام")).toBe("ltr");
  expect(directionOf("123")).toBeNull();
});
test("a file's name cannot hide its type behind direction marks", () => {
  expect(harmlessName("report\u202Efdp.exe")).toBe("reportfdp.exe");
});
test("one line has no breaks", () => {
  expect(oneLine("a\n b\t c")).toBe("a b c");
  expect(oneLine("x".repeat(300), 10)).toBe("xxxxxxxxx…");
});
