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
