import type { LineView } from "@pakawaaz/api/protocol";
import { expect, test } from "vitest";
import { nextFocusable, rowOfMessage, rowsOf } from "./rows";

const noon = new Date(2026, 10, 22, 12).getTime();
function line(key: string, at: number, author = "a", more: Partial<LineView> = {}): LineView {
  return {
    key,
    seq: null,
    message: `m-${key}`,
    author,
    author_name: { en: author, ur: "" },
    mine: author === "me",
    at,
    text: key,
    mentions: [],
    reply: null,
    reactions: [],
    file: null,
    edited: false,
    deleted: false,
    status: null,
    failure: null,
    system: null,
    ...more,
  };
}
const shape = (rows: ReturnType<typeof rowsOf>) =>
  rows.map((row) =>
    row.kind === "message"
      ? `${row.key}${row.first ? "^" : ""}${row.last ? "$" : ""}`
      : row.kind === "system"
        ? `sys ${row.key}`
        : row.kind,
  );

test("messages of one author within five minutes stand together", () => {
  const rows = rowsOf(
    [line("1", noon), line("2", noon + 60_000), line("3", noon + 60_000 + 300_000), line("4", noon + 400_000, "b")],
    null,
  );
  expect(shape(rows)).toEqual(["day", "1^", "2$", "3^$", "4^$"]);
});

test("a system line, a day and the unread divider end a group", () => {
  const lines = [
    line("1", noon),
    line("s", noon + 1, "a", { system: { what: "created" } }),
    line("2", noon + 2),
    line("3", noon + 3),
    line("4", noon + 86_400_000),
  ];
  expect(shape(rowsOf(lines, "3"))).toEqual(["day", "1^$", "sys s", "2^$", "unread", "3^$", "day", "4^$"]);
});

test("that a conversation was started is not said beside who was in it from the beginning", () => {
  const created = line("c", noon, "a", { system: { what: "created" } });
  const members = line("m", noon + 1, "a", { system: { what: "members", officials: ["a"], names: [] } });
  expect(shape(rowsOf([created, members, line("1", noon + 2)], null))).toEqual(["day", "sys m", "1^$"]);
  expect(shape(rowsOf([created, line("1", noon + 2)], null))).toEqual(["day", "sys c", "1^$"]);
});

test("no two rows share a key, even when clocks jump between days", () => {
  const rows = rowsOf([line("1", noon), line("2", noon + 86_400_000), line("3", noon + 10)], null);
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
});

test("focus goes over separators and stays at the ends", () => {
  const rows = rowsOf([line("1", noon), line("2", noon + 86_400_000)], "2");
  expect(shape(rows)).toEqual(["day", "1^$", "day", "unread", "2^$"]);
  expect(nextFocusable(rows, 1, 1)).toBe(4);
  expect(nextFocusable(rows, 4, 1)).toBe(4);
  expect(nextFocusable(rows, 1, -1)).toBe(1);
  expect(rowOfMessage(rows, "m-2")).toBe(4);
  expect(rowOfMessage(rows, "none")).toBe(-1);
});
