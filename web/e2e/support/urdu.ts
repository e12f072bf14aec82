/** The Urdu words of the screens, from the catalogue itself: a test asks for the English one. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Words } from "./phone.ts";

const path = resolve(import.meta.dirname, "../../packages/chat/src/locales/ur.po");

/** `msgid` → `msgstr` of a PO file, joined where they span lines. */
export function catalogue(text: string): Map<string, string> {
  const known = new Map<string, string>();
  const unquote = (lines: string[]) => lines.map((line) => JSON.parse(line) as string).join("");
  for (const entry of text.split(/\n\n+/)) {
    const found = /^msgid ((?:"(?:[^"\\]|\\.)*"\n?)+)msgstr ((?:"(?:[^"\\]|\\.)*"\n?)+)/m.exec(`${entry}\n`);
    if (!found?.[1] || !found[2]) continue;
    known.set(unquote(found[1].trim().split("\n")), unquote(found[2].trim().split("\n")));
  }
  return known;
}

const known = catalogue(readFileSync(path, "utf8"));

export const urdu: Words = (english) => {
  const text = known.get(english);
  if (!text) throw new Error(`the Urdu catalogue has no “${english}”`);
  return text;
};
