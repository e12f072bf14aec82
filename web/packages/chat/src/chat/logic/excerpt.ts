import { fold } from "./mentions";

/** The surroundings of the first place where a text is found: before, found, after. Found may be empty when only folded forms match. */
export function excerpt(text: string, wanted: string, around = 40): [string, string, string] {
  const flat = text.replace(/\s+/gu, " ").trim();
  const at = position(flat, wanted.trim());
  if (at < 0) return [flat.slice(0, around * 4), "", ""];
  const length = wanted.trim().length;
  const from = at > around ? flat.indexOf(" ", at - around) + 1 : 0;
  const start = from > 0 && from <= at ? from : at > around ? at - around : 0;
  return [
    (start > 0 ? "…" : "") + flat.slice(start, at),
    flat.slice(at, at + length),
    flat.slice(at + length, at + length + around * 4),
  ];
}

function position(flat: string, wanted: string): number {
  const plain = flat.toLocaleLowerCase("en").indexOf(wanted.toLocaleLowerCase("en"));
  if (plain >= 0 || wanted === "") return plain;
  // Letters that are written differently and mean the same; only where folding keeps the places of letters.
  const folded = fold(flat);
  return folded.length === flat.length ? folded.indexOf(fold(wanted)) : -1;
}
