import type { ReactNode } from "react";
import { cx } from "../classes.ts";

export interface ListRowProps {
  /** Avatar or icon. */
  leading?: ReactNode;
  title: ReactNode;
  /** At the end of the title's line: a time. */
  aside?: ReactNode;
  detail?: ReactNode;
  /** At the end: badges, buttons. */
  trailing?: ReactNode;
  selected?: boolean;
  /** Inside something that has its own padding. */
  flush?: boolean;
  className?: string;
}

/** The inside of a row. What is pressed (a link, a list item) goes around it. */
export function ListRow({ leading, title, aside, detail, trailing, selected, flush, className }: ListRowProps) {
  return (
    <div
      className={cx(
        "flex min-h-16 items-center gap-3 py-2",
        flush ? "" : "rounded-control px-3",
        selected && "bg-brand-soft",
        className,
      )}
    >
      {leading}
      <div className="min-w-0 flex-1">
        <div className="flex items-baseline gap-2">
          <div className="min-w-0 flex-1 truncate font-medium">{title}</div>
          {aside && <div className="shrink-0 text-sm text-muted tabular-nums">{aside}</div>}
        </div>
        {detail && <div className="text-sm text-muted">{detail}</div>}
      </div>
      {trailing && <div className="flex shrink-0 items-center gap-1.5">{trailing}</div>}
    </div>
  );
}

/** A titled block of a page. */
export function Section({
  title,
  hint,
  children,
  level = 2,
}: {
  title?: string;
  hint?: ReactNode;
  children: ReactNode;
  level?: 2 | 3;
}) {
  const Heading = `h${level}` as const;
  return (
    <section className="flex flex-col gap-2">
      {title && <Heading className="px-1 text-sm font-semibold text-muted">{title}</Heading>}
      <div className="flex flex-col gap-3 rounded-card border border-line bg-surface p-4">{children}</div>
      {hint && <p className="px-1 text-sm text-muted">{hint}</p>}
    </section>
  );
}
