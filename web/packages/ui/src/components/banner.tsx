import { CircleCheck, Info, type LucideIcon, OctagonAlert, TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../classes.ts";
import { TONES } from "./badge.tsx";
import { IconButton } from "./button.tsx";
import { Glyph } from "./glyph.tsx";

export interface BannerProps {
  tone: "info" | "ok" | "warn" | "danger" | "neutral";
  title?: ReactNode;
  children?: ReactNode;
  icon?: LucideIcon;
  /** Buttons. */
  action?: ReactNode;
  onDismiss?(): void;
  dismissLabel?: string;
  /** Across the whole width, at the top: no corners. */
  flush?: boolean;
  /** Read out when it appears. */
  live?: boolean;
}

const ICONS = { info: Info, ok: CircleCheck, warn: TriangleAlert, danger: OctagonAlert, neutral: Info };

export function Banner({ tone, title, children, icon, action, onDismiss, dismissLabel, flush, live }: BannerProps) {
  return (
    <div
      role={live ? (tone === "danger" ? "alert" : "status") : undefined}
      className={cx("flex items-start gap-3 px-4 py-2.5", TONES[tone], flush ? "" : "rounded-control")}
    >
      <Glyph icon={icon ?? ICONS[tone]} size={20} className="mt-[0.35em] urdu:mt-[0.6em]" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center justify-between gap-x-4 gap-y-2 py-0.5">
        <div className="min-w-0 flex-1 basis-44">
          {title && <p className="font-semibold">{title}</p>}
          {children && <div className="text-sm">{children}</div>}
        </div>
        {action && <div className="flex flex-wrap gap-2">{action}</div>}
      </div>
      {onDismiss && dismissLabel && (
        <IconButton size="small" icon={X} label={dismissLabel} onPress={onDismiss} className="text-current" />
      )}
    </div>
  );
}
