import { expect, test } from "vitest";
import { fold, insertMention, mentionedIn, mentionMatches, mentionQuery } from "./mentions";

const members = [
  { official: "1", name: { en: "Ayesha Khan", ur: "عائشہ خان" }, username: "ayesha.khan" },
  { official: "2", name: { en: "Bilal Ahmed", ur: "بلال احمد" }, username: "bilal.ahmed" },
  { official: "3", name: { en: "Kamran Malik", ur: "کامران ملک" }, username: "kamran.malik" },
];

test("an @ at the start of a word opens the list, a mail address does not", () => {
  expect(mentionQuery("hello @ay", 9)).toEqual({ start: 6, end: 9, query: "ay" });
  expect(mentionQuery("@", 1)).toEqual({ start: 0, end: 1, query: "" });
  expect(mentionQuery("me@gov.pk", 9)).toBeNull();
  expect(mentionQuery("@ay later", 3)?.query).toBe("ay");
  expect(mentionQuery("@ then", 6)).toBeNull();
  expect(mentionQuery("@a\nb", 4)).toBeNull();
});
test("matches by either script, beginnings first", () => {
  expect(mentionMatches(members, "kha").map((member) => member.official)).toEqual(["1"]);
  expect(mentionMatches(members, "k").map((member) => member.official)).toEqual(["3", "1"]);
  expect(mentionMatches(members, "بلال").map((member) => member.official)).toEqual(["2"]);
  expect(mentionMatches(members, "").length).toBe(3);
  expect(mentionMatches(members, "zz")).toEqual([]);
});
test("letters that look alike are the same", () => {
  expect(fold("كامران ملك")).toBe(fold("کامران ملک"));
  expect(fold("Éa")).toBe("ea");
});
test("the handle takes the query's place and the caret stands after the space", () => {
  const query = mentionQuery("hi @ay!", 6);
  expect(query && insertMention("hi @ay!", query, "Ayesha Khan")).toEqual({ text: "hi @Ayesha Khan !", caret: 16 });
});
test("what is sent as mentions is what stands in the text", () => {
  expect(mentionedIn("@Ayesha Khan and @bilal.ahmed, mail x@Kamran Malik", members)).toEqual(["1", "2"]);
  expect(mentionedIn("nobody", members)).toEqual([]);
  expect(mentionedIn("@عائشہ خان، سلام", members)).toEqual(["1"]);
});
