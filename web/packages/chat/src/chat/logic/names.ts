import type { BilingualName, ConversationView } from "@pakawaaz/api/protocol";

/** The languages of the interface; names carry both scripts and neither is derived from the other. */
export type Locale = "en" | "ur";

/** The name in the reader's language; the other script when this one is missing. */
export function nameIn(name: BilingualName, locale: Locale): string {
  const [first, second] = locale === "ur" ? [name.ur, name.en] : [name.en, name.ur];
  return first.trim() || second.trim();
}

/** "Ayesha Khan and Bilal Ahmed" in the reader's language. */
export function joinNames(names: string[], locale: Locale): string {
  return new Intl.ListFormat(locale === "ur" ? "ur" : "en-GB", { style: "long", type: "conjunction" }).format(names);
}

/** What a conversation is called: its title, else its people, else nothing (the caller says "Only you"). */
export function conversationName(
  conversation: Pick<ConversationView, "title" | "names" | "members">,
  locale: Locale,
): string {
  const title = conversation.title?.trim();
  if (title) return title;
  const names = conversation.names.map((name) => nameIn(name, locale)).filter((name) => name !== "");
  if (names.length === 0) return "";
  // `names` holds at most four of the other members; `members` counts this official too.
  const rest = conversation.members.length - 1 - conversation.names.length;
  return rest > 0 ? joinNames([...names, `+${rest}`], locale) : joinNames(names, locale);
}

/** One or two letters for a picture without an image. Urdu letters join, so one is enough there. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter((word) => /\p{L}|\p{N}/u.test(word));
  const first = firstLetter(words[0] ?? "");
  if (first === "" || /\p{Script=Arabic}/u.test(first)) return first;
  const last = words.length > 1 ? firstLetter(words[words.length - 1] ?? "") : "";
  return (first + last).toLocaleUpperCase("en");
}

function firstLetter(word: string): string {
  return /\p{L}|\p{N}/u.exec(word)?.[0] ?? "";
}

/** A number 0–7 that stays the same for one identifier: the colour of a picture without an image. */
export function tintOf(id: string): number {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return sum % 8;
}
