/** What has to be kept before this tab loads itself anew, for a new version of the app. */
const keepers = new Set<() => Promise<unknown>>();
/** An engine that does not answer must not hold a new version back. */
const PATIENCE_MS = 2_000;

/** `keep` is waited for; gives the end of it. */
export function beforeReload(keep: () => Promise<unknown>): () => void {
  keepers.add(keep);
  return () => keepers.delete(keep);
}

export async function reload(): Promise<void> {
  const kept = Promise.allSettled([...keepers].map((keep) => keep()));
  await Promise.race([kept, new Promise((over) => setTimeout(over, PATIENCE_MS))]);
  location.reload();
}
