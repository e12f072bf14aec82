import { LoaderCircle } from "lucide-react";
import { ProgressBar } from "react-aria-components";
import { cx } from "../classes.ts";

/** Decoration beside a text that says what is under way. */
export function Spinner({ size = 20, className }: { size?: number; className?: string }) {
  return <LoaderCircle size={size} aria-hidden className={cx("animate-spin", className)} />;
}

export interface ProgressProps {
  /** What is under way; read out. */
  label: string;
  /** 0 to 1; without it the end is unknown. */
  value?: number | null;
  /** Shows the label above the bar. */
  visibleLabel?: boolean;
  /** What stands at the end of the label: `3 of 9 MB`. */
  detail?: string;
  tone?: "brand" | "danger" | "muted";
}

const TONES = { brand: "bg-brand", danger: "bg-danger", muted: "bg-line-strong" };

export function Progress({ label, value, visibleLabel, detail, tone = "brand" }: ProgressProps) {
  const unknown = value === null || value === undefined;
  return (
    <ProgressBar
      aria-label={label}
      value={unknown ? 0 : value * 100}
      isIndeterminate={unknown}
      className="block w-full"
    >
      {visibleLabel && (
        <div className="mb-1 flex items-baseline justify-between gap-3 text-sm">
          <span>{label}</span>
          {detail && <span className="text-muted tabular-nums">{detail}</span>}
        </div>
      )}
      <div className="h-2 overflow-hidden rounded-full bg-sunken forced-colors:border">
        <div
          data-part="filled"
          className={cx(
            "h-full rounded-full transition-[width] duration-calm",
            TONES[tone],
            unknown && "w-1/3 animate-sheen",
          )}
          style={unknown ? undefined : { width: `${Math.min(1, Math.max(0, value)) * 100}%` }}
        />
      </div>
    </ProgressBar>
  );
}

/** A grey shape where something will be. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("animate-sheen rounded-control bg-sunken", className ?? "h-5 w-full")} />;
}
