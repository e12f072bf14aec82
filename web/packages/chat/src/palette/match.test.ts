import { expect, test } from "vitest";
import { rank } from "./match";

const entries = [
  { id: "1", label: "Budget 2027", section: "c" },
  { id: "2", label: "Ayesha Khan", words: ["عائشہ خان", "ayesha.khan"], section: "c" },
  { id: "3", label: "Khalid Bashir", section: "c" },
  { id: "4", label: "Dark theme", section: "a" },
];
const ids = (query: string) => rank(entries, query).map((entry) => entry.id);

test("nothing typed lists everything in order", () => expect(ids("")).toEqual(["1", "2", "3", "4"]));
test("the beginning of the label comes first, then words, then other scripts", () => {
  expect(ids("kha")).toEqual(["3", "2"]);
  expect(ids("عائشہ")).toEqual(["2"]);
});
test("every word must be found", () => {
  expect(ids("aye khan")).toEqual(["2"]);
  expect(ids("aye dark")).toEqual([]);
});
test("letters in order are enough, but last", () => expect(ids("bgt")).toEqual(["1"]));
