import type { AlarmKind } from "@pakawaaz/api/protocol";
import { Banner } from "@pakawaaz/ui";
import { useCallback, useEffect, useState } from "react";
import { asEngineError } from "./engine.tsx";
import { useFormat } from "./i18n.tsx";
import { alarmSentence, errorSentence } from "./messages.ts";

/** Turns whatever was thrown, or a bare code, into a sentence. */
export function useErrorText(): (error: unknown) => string {
  const { language } = useFormat();
  return useCallback(
    (error) => errorSentence(typeof error === "string" ? error : asEngineError(error).code, language),
    [language],
  );
}

export function useAlarmText(): (kind: AlarmKind) => string {
  const { language } = useFormat();
  return useCallback((kind) => alarmSentence(kind, language), [language]);
}

/** A refusal above the form that it belongs to; nothing without one. */
export function Refusal({ error }: { error: unknown }) {
  const text = useErrorText();
  if (!error) return null;
  return (
    <Banner tone="danger" live>
      {text(error)}
    </Banner>
  );
}

/** Milliseconds that remain of `retry_after_ms`, counted down; 0 without one. */
export function useWait(error: unknown): number {
  const [left, set] = useState(0);
  useEffect(() => {
    const wait = error ? (asEngineError(error).retry_after_ms ?? 0) : 0;
    set(wait);
    if (!wait) return;
    const end = performance.now() + wait;
    const timer = setInterval(() => {
      const now = Math.max(0, end - performance.now());
      set(now);
      if (!now) clearInterval(timer);
    }, 500);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}
