import type { BilingualName } from "@pakawaaz/api/protocol";
import { type MentionName, mentionAt } from "./text";

/** An "@…" under way at the caret: where it starts and what is typed so far. */
export interface MentionQuery {
  start: number;
  end: number;
  query: string;
}

/** Longest text after "@" that still counts as looking for somebody. */
const LONGEST = 40;

/** The mention being typed before `caret`; null when there is none. A mail address is none. */
export function mentionQuery(text: string, caret: number): MentionQuery | null {
  const before = text.slice(0, caret);
  const start = before.lastIndexOf("@");
  if (start < 0) return null;
  if (start > 0 && /[\p{L}\p{N}_.@]/u.test(before[start - 1] as string)) return null;
  const query = before.slice(start + 1);
  if (query.length > LONGEST || query.includes("\n") || /^\s/u.test(query) || query.split(" ").length > 4) return null;
  return { start, end: caret, query };
}

/** Members that fit the query, best first: the beginning of a name before the beginning of a word before inside. */
export function mentionMatches<M extends MentionName>(members: readonly M[], query: string, limit = 6): M[] {
  const wanted = fold(query);
  const scored = members.flatMap((member) => {
    const score = Math.max(
      ...[member.name.en, member.name.ur, member.username].map((name) => scoreOf(fold(name), wanted)),
    );
    return score > 0 ? [{ member, score }] : [];
  });
  // Array.prototype.sort is stable: equal scores keep the members' order.
  return scored
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map((entry) => entry.member);
}

function scoreOf(name: string, query: string): number {
  if (query === "") return 1;
  if (name.startsWith(query)) return 3;
  if (name.split(/[\s.]+/u).some((word) => word.startsWith(query))) return 2;
  return query.length >= 2 && name.includes(query) ? 1 : 0;
}

/** Case, accents, Arabic vowel signs and letter variants out of the way, so that typing either form finds the name. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[يى]/gu, "ی")
    .replace(/ك/gu, "ک")
    .replace(/[هۃة]/gu, "ہ")
    .replace(/[أإآٱ]/gu, "ا")
    .replace(/\s+/gu, " ")
    .trim()
    .toLocaleLowerCase("en");
}

/** Puts the chosen member's handle in place of the query. */
export function insertMention(text: string, query: MentionQuery, handle: string): { text: string; caret: number } {
  const after = text.slice(query.end);
  const space = /^\s/u.test(after) ? "" : " ";
  const inserted = `@${handle}${space}`;
  return {
    text: text.slice(0, query.start) + inserted + after,
    caret: query.start + inserted.length + (space === "" ? 1 : 0),
  };
}

/** Who a text mentions: members whose handle stands in it, in either language. Decides what is sent with it. */
export function mentionedIn(
  text: string,
  members: readonly { official: string; name: BilingualName; username: string }[],
): string[] {
  if (!text.includes("@")) return [];
  return members
    .filter((member) =>
      [member.name.en, member.name.ur, member.username].some(
        (name) => name.trim() !== "" && contains(text, name.trim()),
      ),
    )
    .map((member) => member.official);
}

function contains(text: string, name: string): boolean {
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at > 0 && /[\p{L}\p{N}_]/u.test(text[at - 1] as string)) continue;
    if (mentionAt(text, at, name)) return true;
  }
  return false;
}
