import type { LucideIcon } from "lucide-react";
import type { ReactNode, Ref } from "react";
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";
import { cx } from "../classes.ts";
import { Glyph } from "./glyph.tsx";
import { Spinner } from "./progress.tsx";
import { Tooltip } from "./tooltip.tsx";

export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

const KINDS: Record<ButtonKind, string> = {
  primary: "bg-brand text-on-brand hover:bg-brand-hover border-transparent",
  secondary: "bg-surface text-ink hover:bg-hover pressed:bg-pressed border-line-strong",
  quiet: "bg-transparent text-brand-ink hover:bg-hover pressed:bg-pressed border-transparent",
  danger: "bg-danger text-on-danger hover:opacity-90 border-transparent",
};

const BASE =
  "inline-flex items-center justify-center gap-2 border rounded-control font-medium cursor-default select-none " +
  "transition-colors duration-quick disabled:opacity-50 disabled:cursor-not-allowed no-underline";

export interface ButtonProps extends Omit<AriaProps, "children" | "className" | "style" | "isPending"> {
  children: ReactNode;
  kind?: ButtonKind;
  size?: "small" | "normal" | "large";
  icon?: LucideIcon;
  /** Fills the width of its parent. */
  wide?: boolean;
  /** Work is under way: shows a spinner, and cannot be pressed. */
  busy?: boolean;
  className?: string;
  ref?: Ref<HTMLButtonElement>;
}

const SIZES = {
  small: "min-h-9 px-3 text-sm",
  normal: "min-h-11 px-4 text-base",
  large: "min-h-13 px-5 text-base",
};

export function Button({
  children,
  kind = "secondary",
  size = "normal",
  icon,
  wide,
  busy,
  className,
  ...props
}: ButtonProps) {
  return (
    <AriaButton
      {...props}
      isDisabled={props.isDisabled || busy}
      className={cx(BASE, KINDS[kind], SIZES[size], wide && "w-full", className)}
    >
      {busy ? <Spinner size={18} /> : icon && <Glyph icon={icon} size={18} />}
      {children}
    </AriaButton>
  );
}

export interface IconButtonProps extends Omit<AriaProps, "children" | "className" | "style"> {
  icon: LucideIcon;
  /** Said by screen readers and shown as a tooltip. */
  label: string;
  kind?: ButtonKind;
  size?: "small" | "normal";
  /** A number on its corner. */
  count?: number;
  className?: string;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({
  icon,
  label,
  kind = "quiet",
  size = "normal",
  count,
  className,
  ...props
}: IconButtonProps) {
  return (
    <Tooltip text={label}>
      <AriaButton
        {...props}
        aria-label={count ? `${label} (${count})` : label}
        className={cx(
          BASE,
          KINDS[kind],
          kind === "quiet" && !className?.includes("text-") && "text-muted",
          size === "small" ? "size-9" : "size-11",
          "relative shrink-0 p-0",
          className,
        )}
      >
        <Glyph icon={icon} size={size === "small" ? 18 : 22} />
        {count ? (
          <span
            className="absolute -top-1 -end-1 min-w-5 rounded-full bg-brand px-1 text-xs leading-5 text-on-brand"
            aria-hidden
          >
            {count}
          </span>
        ) : null}
      </AriaButton>
    </Tooltip>
  );
}
