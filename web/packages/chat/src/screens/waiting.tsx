import { Trans, useLingui } from "@lingui/react/macro";
import { Banner, Button, Skeleton, Spinner } from "@pakawaaz/ui";
import { Fingerprint, Qr } from "@pakawaaz/ui/qr";
import { useEffect, useState } from "react";
import { useCommand } from "../app/engine.tsx";
import { Refusal } from "../app/errors.tsx";
import { ForgetDialog } from "./forget.tsx";
import { Frame } from "./frame.tsx";

/** A further device shows its code until another one has approved it. */
export function Waiting() {
  const { t } = useLingui();
  const [forgetting, setForgetting] = useState(false);
  const own = useCommand("own_code");
  const [code, setCode] = useState<string | null>(null);
  const { run } = own;
  useEffect(() => {
    void run({}).then((reply) => reply && setCode(reply.code));
  }, [run]);
  return (
    <Frame
      title={t`Approve this device`}
      lead={<Trans>Open Pakawaaz on a device that you use already, go to Devices, and compare this code there.</Trans>}
    >
      <Refusal error={own.error} />
      {code ? (
        <div className="flex flex-col items-center gap-5">
          <Qr text={code} label={t`The code as a QR code`} size={200} />
          <Fingerprint code={code} label={t`Code of this device`} />
        </div>
      ) : (
        !own.error && <Skeleton className="h-64" />
      )}
      <Banner tone="info" icon={undefined}>
        <Trans>
          Only approve if every digit is the same. A different code means that somebody else's device is waiting.
        </Trans>
      </Banner>
      <p role="status" className="flex items-center justify-center gap-2 text-sm text-muted">
        <Spinner size={16} />
        <Trans>Waiting for the approval…</Trans>
      </p>
      <Button kind="quiet" size="small" className="self-center" onPress={() => setForgetting(true)}>
        <Trans>Stop and delete this enrolment</Trans>
      </Button>
      <ForgetDialog isOpen={forgetting} onClose={() => setForgetting(false)} />
    </Frame>
  );
}
