import type { LineView } from "@pakawaaz/api/protocol";
import { dayKey } from "./times";

/** What the timeline draws, one row each. Keys are stable, so the virtualiser keeps what it measured. */
export type Row =
  | { kind: "day"; key: string; at: number }
  | { kind: "unread"; key: string }
  | { kind: "system"; key: string; line: LineView }
  | { kind: "message"; key: string; line: LineView; first: boolean; last: boolean };

/** Messages of one author closer than this stand together under one name. */
export const GROUP_GAP_MS = 5 * 60_000;

/** Rows of a window of lines, oldest first. */
export function rowsOf(lines: readonly LineView[], unreadFrom: string | null): Row[] {
  const rows: Row[] = [];
  let day: string | null = null;
  let before: LineView | null = null;
  for (const [at, line] of lines.entries()) {
    const today = dayKey(line.at);
    if (today !== day) {
      // Named after the line below it: older lines of the same day then come in above it, not between it and its line.
      rows.push({ kind: "day", key: `day:${line.key}`, at: line.at });
      day = today;
      before = null;
    }
    if (unreadFrom !== null && line.key === unreadFrom) {
      rows.push({ kind: "unread", key: "unread" });
      before = null;
    }
    if (line.system) {
      // Who was there from the beginning says as well that it has begun.
      if (line.system.what === "created" && lines[at + 1]?.system?.what === "members") continue;
      rows.push({ kind: "system", key: line.key, line });
      before = null;
      continue;
    }
    const first = !(before && together(before, line));
    if (!first) endsNoGroup(rows);
    rows.push({ kind: "message", key: line.key, line, first, last: true });
    before = line;
  }
  return rows;
}

/** Whether the second line continues the first one's group. */
export function together(a: LineView, b: LineView): boolean {
  return a.author === b.author && a.mine === b.mine && Math.abs(b.at - a.at) < GROUP_GAP_MS;
}

function endsNoGroup(rows: Row[]) {
  const last = rows[rows.length - 1];
  if (last?.kind === "message") last.last = false;
}

/** Position of a message's row, or -1. */
export function rowOfMessage(rows: readonly Row[], message: string): number {
  return rows.findIndex((row) => (row.kind === "message" || row.kind === "system") && row.line.message === message);
}

/** The next row (by step) that can hold focus: a message or a system line. Stays when there is none. */
export function nextFocusable(rows: readonly Row[], from: number, step: number): number {
  for (let i = from + step; i >= 0 && i < rows.length; i += step) {
    const kind = rows[i]?.kind;
    if (kind === "message" || kind === "system") return i;
  }
  return from;
}
