/**
 * How one window of rows becomes the next without the reader losing the place.
 *
 * The virtualiser keeps what is on screen in place only if rows change at one end at a time, and it has to be told which
 * end. A window that slides changes both ends in one snapshot, so it is drawn in two steps: first the union, then the rest.
 */
export type Step = {
  keys: string[];
  /** Rows were added or removed at the start: keep the distance from the end. */
  shift: boolean;
};

export type Change =
  | { kind: "same" }
  /** Nothing in common: draw it and scroll where asked. */
  | { kind: "replaced" }
  /** The steps to draw, one after the other. */
  | { kind: "moved"; steps: Step[] };

export function changeOf(before: readonly string[], after: readonly string[]): Change {
  if (before.length === after.length && before.every((key, i) => key === after[i])) return { kind: "same" };
  if (before.length === 0 || after.length === 0) return { kind: "replaced" };
  const positions = new Map(before.map((key, i) => [key, i]));
  const firstShared = after.findIndex((key) => positions.has(key));
  if (firstShared < 0) return { kind: "replaced" };
  let lastShared = after.length - 1;
  while (!positions.has(after[lastShared] as string)) lastShared--;
  const startInBefore = positions.get(after[firstShared] as string) as number;
  const endInBefore = positions.get(after[lastShared] as string) as number;

  const addedAtStart = firstShared > 0;
  const removedAtStart = startInBefore > 0;
  const removedAtEnd = endInBefore < before.length - 1;
  const addedAtEnd = lastShared < after.length - 1;

  const startChanged = addedAtStart || removedAtStart;
  const endChanged = addedAtEnd || removedAtEnd;
  if (startChanged && endChanged) {
    if (removedAtEnd) {
      // Slides towards the past: put the old ones on top first, then let the newest go.
      const union = [...after.slice(0, lastShared + 1), ...before.slice(endInBefore + 1)];
      return {
        kind: "moved",
        steps: [
          { keys: dedupe(union), shift: true },
          { keys: [...after], shift: false },
        ],
      };
    }
    const union = [...before.slice(0, startInBefore), ...after.slice(firstShared)];
    return {
      kind: "moved",
      steps: [
        { keys: dedupe(union), shift: false },
        { keys: [...after], shift: true },
      ],
    };
  }
  return { kind: "moved", steps: [{ keys: [...after], shift: startChanged }] };
}

function dedupe(keys: string[]): string[] {
  return [...new Set(keys)];
}

/** Where the reader is. All in pixels. */
export interface Place {
  offset: number;
  viewport: number;
  content: number;
}

/** Closer to the end than this counts as "at the newest": new messages then pull the view along. */
export const STICK_PX = 80;

export function atEnd(place: Place): boolean {
  return place.content - place.offset - place.viewport <= STICK_PX;
}

/** Which lines to ask the engine for, so that scrolling never meets an edge. */
export function wanted(place: Place, has: { older: boolean; newer: boolean }): "older" | "newer" | null {
  const reach = place.viewport * 1.5;
  if (has.older && place.offset < reach) return "older";
  if (has.newer && place.content - place.offset - place.viewport < reach) return "newer";
  return null;
}

/** How many lines a step asks for, and how many the window holds. */
export const STEP_LINES = 60;
export const WINDOW_LINES = 120;
