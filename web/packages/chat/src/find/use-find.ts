import type { Id, Official } from "@pakawaaz/api/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { useEngine } from "../app/engine.tsx";

const PAUSE_MS = 250;

export interface Found {
  officials: Official[];
  next: string | null;
  state: "idle" | "running" | "done";
  error: unknown;
}
const IDLE: Found = { officials: [], next: null, state: "idle", error: null };

/** Officials by name, post or organisation, asked of the server while somebody types. */
export function useFind(text: string): Found & { more(): void; again(): void } {
  const engine = useEngine();
  const [found, setFound] = useState<Found>(IDLE);
  const asked = useRef(0);
  const wanted = text.trim();
  const ask = useCallback(
    async (after: string | null, before: Official[]) => {
      asked.current += 1;
      const mine = asked.current;
      setFound({ officials: before, next: null, state: "running", error: null });
      try {
        const page = await engine.call("find", { text: wanted, after });
        if (mine !== asked.current) return;
        const known = new Set(before.map((entry) => entry.official));
        setFound({
          officials: [...before, ...page.officials.filter((entry) => !known.has(entry.official))],
          next: page.next,
          state: "done",
          error: null,
        });
      } catch (error) {
        if (mine === asked.current) setFound({ officials: before, next: after, state: "done", error });
      }
    },
    [engine, wanted],
  );
  useEffect(() => {
    asked.current += 1;
    if (wanted.length < 2) {
      setFound(IDLE);
      return;
    }
    setFound((was) => ({ ...was, state: "running" }));
    const timer = setTimeout(() => void ask(null, []), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [ask, wanted]);
  return {
    ...found,
    more: () => {
      if (found.next !== null) void ask(found.next, found.officials);
    },
    again: () => void ask(null, []),
  };
}

const CACHE_MS = 5 * 60_000;
const known = new WeakMap<object, Map<Id, { official: Official; at: number }>>();

/** One official, from memory if it was asked for a moment ago. `null` in `official` while loading. */
export function useOfficial(id: Id): { official: Official | null; error: unknown; again(): void } {
  const engine = useEngine();
  const [official, setOfficial] = useState<Official | null>(() => recent(engine, id));
  const [error, setError] = useState<unknown>(null);
  const load = useCallback(() => {
    setError(null);
    let current = true;
    engine.call("official", { official: id }).then(
      (found) => {
        remember(engine, found);
        if (current) setOfficial(found);
      },
      (refused) => current && setError(refused),
    );
    return () => {
      current = false;
    };
  }, [engine, id]);
  useEffect(() => {
    setOfficial(recent(engine, id));
    return load();
  }, [engine, id, load]);
  return { official, error, again: load };
}

function recent(engine: object, id: Id): Official | null {
  const found = known.get(engine)?.get(id);
  return found && Date.now() - found.at < CACHE_MS ? found.official : null;
}

function remember(engine: object, official: Official) {
  const all = known.get(engine) ?? new Map();
  all.set(official.official, { official, at: Date.now() });
  known.set(engine, all);
}
