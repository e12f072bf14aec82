import { Check, Circle, X } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../classes.ts";
import { Spinner } from "./progress.tsx";

export type StepState = "waiting" | "running" | "done" | "refused";

export interface StepperProps {
  label: string;
  steps: { id: string; title: string; detail?: ReactNode; state: StepState }[];
  /** What a screen reader says for each state. */
  stateLabels: Record<StepState, string>;
}

const LOOK: Record<StepState, string> = {
  waiting: "border-line-strong text-muted",
  running: "border-brand text-brand-ink",
  done: "border-brand bg-brand text-on-brand",
  refused: "border-danger bg-danger text-on-danger",
};

/** Steps one below the other, with the state of each. */
export function Stepper({ label, steps, stateLabels }: StepperProps) {
  return (
    <ol aria-label={label} className="flex flex-col">
      {steps.map((step, at) => (
        <li key={step.id} aria-current={step.state === "running" ? "step" : undefined} className="flex gap-3">
          <span className="flex flex-col items-center" aria-hidden>
            <span
              className={cx(
                "grid size-7 place-content-center rounded-full border-2 transition-colors duration-calm",
                LOOK[step.state],
              )}
            >
              {step.state === "done" && <Check size={16} strokeWidth={3} />}
              {step.state === "refused" && <X size={16} strokeWidth={3} />}
              {step.state === "running" && <Spinner size={16} />}
              {step.state === "waiting" && <Circle size={6} className="fill-current" />}
            </span>
            {at < steps.length - 1 && (
              <span className={cx("w-0.5 flex-1", step.state === "done" ? "bg-brand" : "bg-line")} />
            )}
          </span>
          <span className="min-w-0 flex-1 pb-4">
            <span className={cx("block font-medium", step.state === "waiting" && "text-muted")}>
              {step.title}
              <span className="sr-only">: {stateLabels[step.state]}</span>
            </span>
            {step.detail && <span className="block text-sm text-muted">{step.detail}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
