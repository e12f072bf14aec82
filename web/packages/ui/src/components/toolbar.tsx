import type { ReactNode } from "react";
import { Toolbar as AriaToolbar } from "react-aria-components";
import { cx } from "../classes.ts";

/** Buttons that belong together; arrow keys move among them. */
export function Toolbar({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <AriaToolbar aria-label={label} className={cx("flex items-center gap-1", className)}>
      {children}
    </AriaToolbar>
  );
}

/** The bar above a page: title, what leads back, buttons. */
export function TopBar({
  back,
  title,
  subtitle,
  children,
  level = 1,
}: {
  back?: ReactNode;
  title: ReactNode;
  subtitle?: ReactNode;
  children?: ReactNode;
  level?: 1 | 2;
}) {
  const Heading = `h${level}` as const;
  return (
    <header className="flex min-h-16 shrink-0 items-center gap-2 border-b border-line bg-surface px-2 py-1.5">
      {back}
      <div className={cx("min-w-0 flex-1", !back && "ps-2")}>
        <Heading className="-mx-1.5 truncate px-1.5 text-lg font-semibold leading-snug urdu:leading-[2.3]">
          {title}
        </Heading>
        {subtitle && <div className="truncate text-sm text-muted leading-snug urdu:leading-[2]">{subtitle}</div>}
      </div>
      {children}
    </header>
  );
}
