import { useEffect, useState } from "react";
import type { Row } from "./logic/rows";
import { changeOf, type Step } from "./logic/window";

export interface Displayed {
  rows: Row[];
  /** For the virtualiser: rows changed at the start. */
  shift: boolean;
  /** Grows whenever nothing of the old window is left: where to scroll has to be decided anew. */
  generation: number;
  /** No step is outstanding. */
  settled: boolean;
}

interface State extends Displayed {
  target: Row[];
  rest: Step[];
}

const keysOf = (rows: Row[]) => rows.map((row) => row.key);

function rowsFor(keys: string[], next: Row[], before: Row[]): Row[] {
  const byKey = new Map(before.map((row) => [row.key, row]));
  for (const row of next) byKey.set(row.key, row);
  return keys.flatMap((key) => byKey.get(key) ?? []);
}

/** Draws a new window in steps that the virtualiser can follow; see `logic/window.ts`. */
export function useDisplayed(rows: Row[]): Displayed {
  const [state, setState] = useState<State>({
    rows,
    shift: false,
    generation: 0,
    settled: true,
    target: rows,
    rest: [],
  });
  let now = state;
  if (now.target !== rows) {
    const change = changeOf(keysOf(now.rows), keysOf(rows));
    if (change.kind === "same") now = { ...now, rows, target: rows, shift: false, rest: [], settled: true };
    else if (change.kind === "replaced")
      now = { rows, target: rows, shift: false, rest: [], settled: true, generation: now.generation + 1 };
    else {
      const [first, ...rest] = change.steps as [Step, ...Step[]];
      now = {
        ...now,
        rows: rowsFor(first.keys, rows, now.rows),
        target: rows,
        shift: first.shift,
        rest,
        settled: rest.length === 0,
      };
    }
    setState(now);
  }
  useEffect(() => {
    if (state.rest.length === 0) return;
    // One frame later: the virtualiser has measured the rows of the step before.
    const frame = requestAnimationFrame(() =>
      setState((was) => {
        const [next, ...rest] = was.rest;
        return next
          ? {
              ...was,
              rows: rowsFor(next.keys, was.target, was.rows),
              shift: next.shift,
              rest,
              settled: rest.length === 0,
            }
          : was;
      }),
    );
    return () => cancelAnimationFrame(frame);
  }, [state]);
  return now;
}
