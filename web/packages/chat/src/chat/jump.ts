import { useSyncExternalStore } from "react";

/**
 * "Show this message": asked by search and palette, which do not know whether the conversation is open already. Not part of the
 * address: identifiers of messages should not stand in the browser's history.
 */
export interface Jump {
  group: string;
  message: string;
  serial: number;
}

let wanted: Jump | null = null;
let serial = 0;
const listeners = new Set<() => void>();

export function jumpTo(group: string, message: string) {
  serial += 1;
  wanted = { group, message, serial };
  for (const listener of listeners) listener();
}

export function jumpDone(jump: Jump) {
  if (wanted?.serial !== jump.serial) return;
  wanted = null;
  for (const listener of listeners) listener();
}

/** Whether a message of this conversation is to be shown. */
export const jumpWanted = (group: string): boolean => wanted?.group === group;

export function useJump(group: string): Jump | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (wanted?.group === group ? wanted : null),
  );
}
