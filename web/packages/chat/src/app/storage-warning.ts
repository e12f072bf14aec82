import type { AppState, ConversationView } from "@pakawaaz/api/protocol";

/** From this share of the offered space on, browsers are close to clearing what nobody asked them to keep. */
const NEARLY_FULL = 0.8;

/**
 * Whether to say that the browser may clear what is stored: only when it has not promised to keep it and there is
 * something to lose (no other device has these messages). Quietly and once; and loudly, once for each time the app is
 * opened, when space really runs out.
 */
export function storageWarning(
  app: Pick<AppState, "phase" | "storage_persistent" | "storage"> | undefined,
  conversations: Pick<ConversationView, "last">[],
  seenBefore: boolean,
  closedNow: boolean,
): "quiet" | "strong" | null {
  const toLose = conversations.some(({ last }) => last !== null && !last.system);
  if (app?.phase !== "ready" || app.storage_persistent || !toLose || closedNow) return null;
  const full = app.storage !== null && app.storage.usage > app.storage.quota * NEARLY_FULL;
  if (full) return "strong";
  return seenBefore ? null : "quiet";
}
