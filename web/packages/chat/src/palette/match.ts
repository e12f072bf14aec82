import { fold } from "../chat/logic/mentions";

/** One line of the palette. `words` are looked at beside the label (a username, the name in the other language). */
export interface Entry {
  id: string;
  label: string;
  words?: string[];
  section: string;
}

/** How well a query fits: 0 is not at all. Every word of the query must be found somewhere. */
export function fits(entry: Pick<Entry, "label" | "words">, query: string): number {
  const wanted = fold(query).split(" ").filter(Boolean);
  if (wanted.length === 0) return 1;
  const texts = [entry.label, ...(entry.words ?? [])].map(fold);
  let total = 0;
  for (const word of wanted) {
    const best = Math.max(...texts.map((text, i) => wordScore(text, word) - (i > 0 ? 0.5 : 0)));
    if (best <= 0) return 0;
    total += best;
  }
  return total / wanted.length;
}

function wordScore(text: string, word: string): number {
  if (text === word) return 6;
  if (text.startsWith(word)) return 5;
  if (text.split(/[\s.,:،\-–/()]+/u).some((part) => part.startsWith(word))) return 4;
  if (text.includes(word)) return 3;
  return word.length >= 3 && subsequence(text, word) ? 1 : 0;
}

function subsequence(text: string, word: string): boolean {
  let at = 0;
  for (const character of word) {
    at = text.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** The best entries in order, at most `limit`; equals keep the order they came in. */
export function rank<E extends Entry>(entries: readonly E[], query: string, limit = 40): E[] {
  return entries
    .map((entry) => ({ entry, score: fits(entry, query) }))
    .filter((scored) => scored.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map((scored) => scored.entry);
}
