import { useLingui } from "@lingui/react/macro";
import type { StepState } from "@pakawaaz/ui";

export function usePasswordFieldLabels(): { showLabel: string; hideLabel: string } {
  const { t } = useLingui();
  return { showLabel: t`Show the password`, hideLabel: t`Hide the password` };
}

export function useStepLabels(): Record<StepState, string> {
  const { t } = useLingui();
  return { waiting: t`not yet`, running: t`under way`, done: t`done`, refused: t`refused` };
}
