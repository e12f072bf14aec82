import type { ReactNode } from "react";
import { cx } from "../classes.ts";

export type Tone = "neutral" | "brand" | "ok" | "warn" | "danger" | "info";

export const TONES: Record<Tone, string> = {
  neutral: "bg-sunken text-ink",
  brand: "bg-brand text-on-brand",
  ok: "bg-ok-soft text-ok-ink",
  warn: "bg-warn-soft text-warn-ink",
  danger: "bg-danger-soft text-danger-ink",
  info: "bg-info-soft text-info-ink",
};

/** A short word or number. `label` is what a screen reader says instead of a bare number. */
export function Badge({
  tone = "neutral",
  label,
  children,
  className,
}: {
  tone?: Tone;
  label?: string;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={cx(
        "inline-flex min-w-6 items-center justify-center gap-1 rounded-full px-2 py-0.5 text-sm font-medium tabular-nums urdu:px-3 urdu:leading-[1.9]",
        TONES[tone],
        className,
      )}
    >
      {label ? (
        <>
          <span aria-hidden>{children}</span>
          <span className="sr-only">{label}</span>
        </>
      ) : (
        children
      )}
    </span>
  );
}
