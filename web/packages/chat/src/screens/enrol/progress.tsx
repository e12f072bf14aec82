import { Trans, useLingui } from "@lingui/react/macro";
import type { EngineError, EnrolStep, Progress, VoucherView } from "@pakawaaz/api/protocol";
import { Button, Stepper } from "@pakawaaz/ui";
import { Refusal } from "../../app/errors.tsx";
import { Frame } from "../frame.tsx";
import { useStepLabels } from "../labels.ts";
import { stepStates } from "../steps.ts";

const ORDER = ["voucher", "keys", "password", "sim", "certificate", "saved"] as const;

/** Enrolment as it happens, each step explained. */
export function EnrolProgress({
  voucher,
  progress,
  error,
  onBack,
  onRestart,
}: {
  voucher: VoucherView;
  progress: Progress[];
  error: EngineError | null;
  onBack(): void;
  onRestart(): void;
}) {
  const { t } = useLingui();
  const stateLabels = useStepLabels();
  // A further device sets no password: the core skips that step.
  const order = ORDER.filter((step) => step !== "password" || voucher.kind !== "additional");
  const states = stepStates(order, progress, error !== null);
  const texts: Record<EnrolStep, [title: string, detail: string]> = {
    voucher: [t`Check the voucher`, t`The server shows that it is the one your administrator named.`],
    keys: [t`Make keys`, t`They are made here and never leave this browser unencrypted.`],
    password: [t`Set the password`, t`The server stores a proof that cannot be turned back into it.`],
    sim: [t`Prove the SIM`, t`The SIM answers a question that only it can answer.`],
    certificate: [t`Receive the certificate`, t`It ties your name and post to this device's key.`],
    saved: [t`Save the profile`, t`Encrypted under your PIN and a key that this browser does not give out.`],
  };
  return (
    <Frame
      title={error ? t`The enrolment was refused` : t`Enrolling this device`}
      lead={error ? undefined : <Trans>This takes a few seconds.</Trans>}
    >
      <Stepper
        label={t`Steps of the enrolment`}
        stateLabels={stateLabels}
        steps={order.map((step) => ({ id: step, title: texts[step][0], detail: texts[step][1], state: states[step] }))}
      />
      <Refusal error={error} />
      {error && (
        <div className="flex flex-col gap-2">
          <Button kind="primary" wide onPress={onBack}>
            <Trans>Change what I entered</Trans>
          </Button>
          <Button kind="quiet" wide onPress={onRestart}>
            <Trans>Use another card</Trans>
          </Button>
        </div>
      )}
    </Frame>
  );
}
