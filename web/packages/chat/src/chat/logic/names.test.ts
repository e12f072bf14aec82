import { expect, test } from "vitest";
import { conversationName, nameIn } from "./names";

const ayesha = { en: "Ayesha Khan", ur: "عائشہ خان" };
const bilal = { en: "Bilal Ahmed", ur: "" };

test("a name without this script is shown in the other one", () => {
  expect(nameIn(ayesha, "ur")).toBe("عائشہ خان");
  expect(nameIn(bilal, "ur")).toBe("Bilal Ahmed");
});

test("a conversation without a title is named after its people, and says how many are not named", () => {
  expect(conversationName({ title: null, names: [ayesha, bilal], members: ["me", "a", "b"] }, "en")).toBe(
    "Ayesha Khan and Bilal Ahmed",
  );
  expect(conversationName({ title: " ", names: [ayesha, bilal], members: ["me", "a", "b", "c", "d"] }, "en")).toBe(
    "Ayesha Khan, Bilal Ahmed and +2",
  );
  expect(conversationName({ title: "Budget", names: [ayesha], members: ["me", "a"] }, "en")).toBe("Budget");
  expect(conversationName({ title: null, names: [], members: ["me"] }, "en")).toBe("");
});
