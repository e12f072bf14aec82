import { Check, CheckCheck, CircleAlert, Clock3 } from "lucide-react";
import { cx } from "../classes.ts";

export type TickState = "queued" | "sent" | "delivered" | "read" | "failed";

const ICONS = { queued: Clock3, sent: Check, delivered: CheckCheck, read: CheckCheck, failed: CircleAlert };

/** How far a message came. `label` says it in words; `visible` shows the words as well. */
export function Tick({
  state,
  label,
  visible,
  className,
}: {
  state: TickState;
  label: string;
  visible?: boolean;
  className?: string;
}) {
  const Icon = ICONS[state];
  return (
    <span
      className={cx(
        "inline-flex items-center gap-1 text-xs",
        state === "read" && "font-semibold text-brand-ink",
        state === "failed" && "font-medium text-danger-ink",
        className,
      )}
    >
      <Icon size={16} strokeWidth={state === "read" ? 2.75 : 2} aria-hidden />
      <span className={visible ? undefined : "sr-only"}>{label}</span>
    </span>
  );
}
