/**
 * What travels between a tab and its worker, and between the workers of one origin.
 *
 * Arguments, replies and snapshots are JSON texts: the worker that does not lead only passes them on.
 */

/** What a tab asks. Numbers are the tab's own. */
export type Ask =
  | { t: "call"; id: number; name: string; args: string; files?: File[] }
  | { t: "subscribe"; id: number; topic: string; args: string }
  | { t: "unsubscribe"; id: number }
  | { t: "network" };

/** What a tab hears. */
export type Tell =
  | { t: "reply"; id: number; json: string; blob?: Blob }
  | { t: "refused"; id: number; json: string }
  | { t: "progress"; id: number; json: string }
  | { t: "snapshot"; id: number; json: string }
  | { t: "happening"; json: string }
  | { t: "role"; leader: boolean }
  /** The engine cannot run in this browser; JSON of the reason. */
  | { t: "unsupported"; json: string }
  /** The engine broke down; this worker is useless from now on. */
  | { t: "broken"; place: string };

/** What workers say to each other. `key` opens the profile; it is never written down. */
export type Between = Ask | Tell | { t: "hello" } | { t: "leader" } | { t: "key"; key: Uint8Array | null };

/** A message on the channel that all workers of this origin hear. `to` null: for all. */
export interface Envelope {
  from: string;
  to: string | null;
  message: Between;
}

export const CHANNEL = "pakawaaz-engine";
/** Held by the worker that runs the engine. */
export const LEADER_LOCK = "pakawaaz-engine";
/** Held by every worker while it lives, so that the leader learns of its end. */
export const tabLock = (tab: string): string => `pakawaaz-tab-${tab}`;

/** JSON of a refusal that the engine did not make. */
export function refusal(code: string, message: string): string {
  return JSON.stringify({ code, message, retry_after_ms: null });
}
export const RESTARTED = refusal("engine.restarted", "the engine was restarted; try again");
