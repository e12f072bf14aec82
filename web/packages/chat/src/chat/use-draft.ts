import { useCallback, useEffect, useRef } from "react";
import { useEngine } from "../app/engine.tsx";
import { beforeReload } from "../app/reload.ts";

const PAUSE_MS = 500;

/** Keeps the text under way in the engine: a little after typing stops, and at once when the page goes. */
export function useDraft(group: string): (text: string) => void {
  const engine = useEngine();
  const waiting = useRef<string | null>(null);
  const saving = useRef<Promise<null> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const flush = useCallback(async () => {
    clearTimeout(timer.current);
    const text = waiting.current;
    waiting.current = null;
    // A draft that was not kept is kept with the next letter.
    if (text !== null) saving.current = engine.call("set_draft", { group, text }).catch(() => null);
    await saving.current;
  }, [engine, group]);
  useEffect(() => {
    addEventListener("pagehide", flush);
    const forget = beforeReload(flush);
    return () => {
      removeEventListener("pagehide", flush);
      forget();
      void flush();
    };
  }, [flush]);
  return useCallback(
    (text: string) => {
      waiting.current = text;
      clearTimeout(timer.current);
      if (text === "") void flush();
      else timer.current = setTimeout(flush, PAUSE_MS);
    },
    [flush],
  );
}

const TYPING_EVERY_MS = 4_000;
const TYPING_ENDS_MS = 6_000;

/** Tells the others that somebody writes: at most every few seconds, and when it ends. */
export function useTyping(group: string, enabled: boolean): (writing: boolean) => void {
  const engine = useEngine();
  const last = useRef(0);
  const on = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const tell = useCallback(
    (writing: boolean) => {
      if (!enabled) return;
      clearTimeout(timer.current);
      const now = Date.now();
      if (writing) {
        timer.current = setTimeout(() => tell(false), TYPING_ENDS_MS);
        if (on.current && now - last.current < TYPING_EVERY_MS) return;
        last.current = now;
      } else if (!on.current) return;
      on.current = writing;
      engine.call("typing", { group, on: writing }).catch(() => {});
    },
    [enabled, engine, group],
  );
  useEffect(() => () => tell(false), [tell]);
  return tell;
}
