import type { BilingualName } from "@pakawaaz/api/protocol";

/** A message's text in pieces: shown one after the other they are exactly the text. */
export type Piece =
  | { kind: "text"; text: string }
  | { kind: "link"; text: string; url: string }
  | { kind: "mention"; text: string; official: string };

export interface MentionName {
  official: string;
  name: BilingualName;
  username: string;
}

/** The longest things first, so that "@Ali Khan" wins over "@Ali". */
export function piecesOf(text: string, mentioned: readonly MentionName[]): Piece[] {
  const handles = mentioned
    .flatMap((member) =>
      [member.name.en, member.name.ur, member.username].map((name) => ({
        name: name.trim(),
        official: member.official,
      })),
    )
    .filter((handle) => handle.name !== "")
    .sort((a, b) => b.name.length - a.name.length);
  const pieces: Piece[] = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") pieces.push({ kind: "text", text: plain });
    plain = "";
  };
  let i = 0;
  while (i < text.length) {
    if (text[i] === "@") {
      const handle = handles.find((candidate) => mentionAt(text, i, candidate.name));
      if (handle) {
        flush();
        const end = i + 1 + handle.name.length;
        pieces.push({ kind: "mention", text: text.slice(i, end), official: handle.official });
        i = end;
        continue;
      }
    }
    const link = text[i] === "h" || text[i] === "H" ? linkAt(text, i) : null;
    if (link) {
      flush();
      pieces.push({ kind: "link", text: link.text, url: link.url });
      i += link.text.length;
      continue;
    }
    plain += text[i];
    i += 1;
  }
  flush();
  return pieces;
}

/** Whether `@name` stands at `at` as a whole word, whatever the case. */
export function mentionAt(text: string, at: number, name: string): boolean {
  const end = at + 1 + name.length;
  if (text.slice(at + 1, end).toLocaleLowerCase("en") !== name.toLocaleLowerCase("en")) return false;
  const next = text.slice(end, end + 2);
  return next === "" || !/^[\p{L}\p{N}_]/u.test(next);
}

const LINK = /https?:\/\/[^\s<>"'`]+/iuy;

/** Only http and https, and only at the start of a word; punctuation that ends a sentence stays outside. */
function linkAt(text: string, at: number): { text: string; url: string } | null {
  if (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1] as string)) return null;
  LINK.lastIndex = at;
  const found = LINK.exec(text)?.[0];
  if (!found) return null;
  let shown = found.replace(/[.,;:!?…،؛؟۔]+$/u, "");
  // A closing bracket belongs to the link only if its opening one does.
  while (/[)\]}]$/.test(shown) && unbalanced(shown)) shown = shown.slice(0, -1).replace(/[.,;:!?]+$/u, "");
  try {
    const url = new URL(shown);
    if ((url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") return null;
    return { text: shown, url: url.href };
  } catch {
    return null;
  }
}

function unbalanced(text: string): boolean {
  const pairs: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
  const close = text[text.length - 1] as string;
  const open = pairs[close] as string;
  return text.split(close).length > text.split(open).length;
}

/** Bounds above which a message is folded. */
export const FOLD_CHARACTERS = 1_400;
export const FOLD_LINES = 18;

/** The part of a long text that is shown folded; null when it is short enough. */
export function folded(text: string): string | null {
  let end = text.length;
  let lines = 1;
  for (let i = 0; i < text.length && i < FOLD_CHARACTERS; i++) {
    if (text[i] === "\n" && ++lines > FOLD_LINES) {
      end = i;
      break;
    }
  }
  if (end === text.length) {
    if (text.length <= FOLD_CHARACTERS) return null;
    const cut = text.lastIndexOf(" ", FOLD_CHARACTERS);
    end = cut > FOLD_CHARACTERS - 200 ? cut : FOLD_CHARACTERS;
    // Never in the middle of a character outside the basic plane.
    if (/[\uD800-\uDBFF]/.test(text[end - 1] as string)) end -= 1;
  }
  // Folding away two words would only annoy.
  return text.length - end < 80 && lines <= FOLD_LINES ? null : text.slice(0, end);
}

/** One to three emoji and nothing else: shown large. */
export function onlyEmoji(text: string): boolean {
  const bare = text.replace(/\s/gu, "");
  if (bare === "" || bare.length > 40) return false;
  const graphemes = [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(bare)].map(
    (part) => part.segment,
  );
  return (
    graphemes.length <= 3 && graphemes.every((part) => /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(part))
  );
}

/** The first strong direction in a text, as `dir="auto"` decides; null when it has none. */
export function directionOf(text: string): "ltr" | "rtl" | null {
  for (const character of text) {
    if (
      /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(character) &&
      /\p{L}/u.test(character)
    )
      return "rtl";
    if (/\p{L}/u.test(character)) return "ltr";
  }
  return null;
}

/** Characters that could make one text look like another (overrides of direction), for names of files. */
export function harmlessName(name: string): string {
  return name.replace(/[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/gu, "").replace(/\p{Cc}/gu, " ");
}

/** First line of a text for lists and reply bars. */
export function oneLine(text: string, limit = 160): string {
  const flat = text.replace(/\s+/gu, " ").trim();
  return flat.length > limit ? `${flat.slice(0, limit - 1).trimEnd()}…` : flat;
}
