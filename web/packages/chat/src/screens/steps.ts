import type { EnrolStep, LoginStep, Progress } from "@pakawaaz/api/protocol";
import type { StepState } from "@pakawaaz/ui";

/**
 * Where each step stands. A step that was announced is running until the next one is; without any news the first one
 * runs. After a refusal nothing runs any more.
 */
export function stepStates<S extends LoginStep | EnrolStep>(
  order: readonly S[],
  progress: Progress[],
  failed: boolean,
): Record<S, StepState> {
  const states = Object.fromEntries(order.map((step) => [step, "waiting"])) as Record<S, StepState>;
  for (const { step, state } of progress) if (step in states) states[step as S] = state;
  if (failed) {
    const broken = order.find((step) => states[step] === "refused") ?? order.find((step) => states[step] === "running");
    for (const step of order) if (states[step] === "running") states[step] = step === broken ? "refused" : "waiting";
    const first = order[0];
    if (!broken && first && order.every((step) => states[step] === "waiting")) states[first] = "refused";
  } else if (progress.length === 0 && order[0]) {
    states[order[0]] = "running";
  }
  return states;
}
