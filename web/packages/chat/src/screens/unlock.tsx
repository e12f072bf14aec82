import { Trans, useLingui } from "@lingui/react/macro";
import { Button, PinField } from "@pakawaaz/ui";
import { LockKeyholeOpen } from "lucide-react";
import { useState } from "react";
import { useCommand, useOnline } from "../app/engine.tsx";
import { Refusal, useErrorText, useWait } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { ForgetDialog } from "./forget.tsx";
import { Frame } from "./frame.tsx";

/** The PIN opens what is stored here; it works without a connection. */
export function Unlock() {
  const online = useOnline();
  const { t } = useLingui();
  const format = useFormat();
  const text = useErrorText();
  const [pin, setPin] = useState("");
  const [forgetting, setForgetting] = useState(false);
  const unlock = useCommand("unlock");
  const wait = useWait(unlock.error);
  const wrong = unlock.error?.code === "client.wrong_pin";
  return (
    <Frame
      title={t`Enter your PIN`}
      lead={
        !online ? (
          <Trans>You are offline. What is stored on this device can still be read.</Trans>
        ) : (
          <Trans>It opens what is stored on this device.</Trans>
        )
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={async (event) => {
          event.preventDefault();
          if (!pin || wait || unlock.running) return;
          if ((await unlock.run({ pin })) === undefined) setPin("");
        }}
      >
        <PinField
          label={t`PIN`}
          value={pin}
          onChange={setPin}
          autoFocus
          autoComplete="off"
          isDisabled={unlock.running}
          error={wrong ? text(unlock.error) : null}
        />
        {!wrong && <Refusal error={unlock.error} />}
        {wait > 0 && (
          <p role="status" className="text-sm text-muted">
            <Trans>Each wrong PIN makes the next pause longer. Next attempt in {format.duration(wait)}.</Trans>
          </p>
        )}
        <Button
          type="submit"
          kind="primary"
          size="large"
          wide
          icon={LockKeyholeOpen}
          busy={unlock.running}
          isDisabled={!pin || wait > 0}
        >
          <Trans>Unlock</Trans>
        </Button>
      </form>
      <p className="text-center text-sm text-muted">
        <Trans>
          The key that the PIN opens is held in memory only. So the PIN is asked again whenever the last tab of this app
          is closed or loaded anew.
        </Trans>
      </p>
      <Button kind="quiet" size="small" className="self-center" onPress={() => setForgetting(true)}>
        <Trans>I forgot my PIN</Trans>
      </Button>
      <ForgetDialog
        isOpen={forgetting}
        onClose={() => setForgetting(false)}
        lead={<Trans>Nobody can look up or reset a PIN: it exists only in your memory.</Trans>}
      />
    </Frame>
  );
}
