import type { ConversationView } from "@pakawaaz/api/protocol";

/** Pinned first, then the newest; archived ones apart. What a person left comes with the rest. */
export function ordered(all: readonly ConversationView[]): {
  current: ConversationView[];
  archived: ConversationView[];
} {
  const newest = [...all].sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.updated_at - a.updated_at);
  return { current: newest.filter((entry) => !entry.archived), archived: newest.filter((entry) => entry.archived) };
}

/** The conversation above or below another one, for the keyboard; the first one when none is open. */
export function neighbour(
  all: readonly ConversationView[],
  open: string | undefined,
  step: 1 | -1,
): ConversationView | null {
  const { current } = ordered(all);
  const at = current.findIndex((entry) => entry.group === open);
  return (at < 0 ? current[0] : current[at + step]) ?? null;
}

/** What the badge of the window and of the app counts: unread conversations that are not muted, and mentions anywhere. */
export function badgeCount(all: readonly ConversationView[]): number {
  return all.reduce((sum, entry) => sum + (entry.muted || entry.archived ? entry.mentions : entry.unread), 0);
}
