import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

export interface StateProps {
  icon?: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing here yet: says what would be, and how to begin. */
export function EmptyState({ icon: Icon, title, children, action }: StateProps) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center gap-2 px-6 py-12 text-center">
      {Icon && (
        <span aria-hidden className="mb-2 grid size-16 place-content-center rounded-full bg-brand-soft text-brand-ink">
          <Icon size={30} strokeWidth={1.6} />
        </span>
      )}
      <p className="text-lg font-semibold">{title}</p>
      {children && <div className="text-muted">{children}</div>}
      {action && <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** It did not work: what happened, and what to do next. */
export function ErrorState({ icon: Icon = CircleAlert, title, children, action }: StateProps) {
  return (
    <div role="alert" className="mx-auto flex max-w-sm flex-col items-center gap-2 px-6 py-12 text-center">
      <span aria-hidden className="mb-2 grid size-16 place-content-center rounded-full bg-danger-soft text-danger-ink">
        <Icon size={30} strokeWidth={1.6} />
      </span>
      <p className="text-lg font-semibold">{title}</p>
      {children && <div className="text-muted">{children}</div>}
      {action && <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
