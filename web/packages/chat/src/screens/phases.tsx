import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Spinner } from "@pakawaaz/ui";
import { LogIn, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { Mark } from "../app/mark.tsx";
import { ForgetDialog } from "./forget.tsx";
import { Frame } from "./frame.tsx";

/** While the engine loads. Quiet at first: mostly it is there at once. */
export function Splash() {
  const { t } = useLingui();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 400);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main className="grid min-h-dvh place-content-center justify-items-center gap-4 bg-page">
      <h1 className="sr-only">{t`Pakawaaz`}</h1>
      <Mark size={72} />
      <p role="status" className={slow ? "flex items-center gap-2 text-muted" : "invisible"}>
        <Spinner size={16} />
        <Trans>Opening…</Trans>
      </p>
    </main>
  );
}

export function Unsupported() {
  const { t } = useLingui();
  return (
    <Frame
      title={t`This browser cannot run Pakawaaz`}
      lead={
        <Trans>
          It lacks storage or locks that the app needs, or a private window switches them off. Use a current Chrome,
          Edge, Firefox or Safari, in an ordinary window.
        </Trans>
      }
    >
      <Button kind="primary" wide onPress={() => location.reload()}>
        <Trans>Try again</Trans>
      </Button>
    </Frame>
  );
}

/** Cut off for a while: everything stays, and the login is asked again once an administrator has lifted it. */
export function Suspended({ onLogin }: { onLogin(): void }) {
  const { t } = useLingui();
  return (
    <Frame
      title={t`Your access is suspended`}
      lead={
        <Trans>
          An administrator suspended your account, this device or its SIM card. That can be undone: ask your
          administrator.
        </Trans>
      }
    >
      <p>
        <Trans>Everything stored here stays. Once the suspension is lifted, log in with all three factors.</Trans>
      </p>
      <Button kind="primary" size="large" wide icon={LogIn} onPress={onLogin}>
        <Trans>Log in again</Trans>
      </Button>
    </Frame>
  );
}

/** This device was revoked: nothing works any more except deleting. */
export function CutOff() {
  const { t } = useLingui();
  const [forgetting, setForgetting] = useState(false);
  return (
    <Frame
      title={t`This device has been cut off`}
      lead={
        <Trans>
          You or an administrator revoked it. It receives nothing any more, and nobody accepts messages from it. If you
          did not expect this, ask your administrator.
        </Trans>
      }
    >
      <p>
        <Trans>What is still stored here can be deleted. After that, a new voucher enrols this browser again.</Trans>
      </p>
      <Button kind="danger" size="large" wide icon={Trash2} onPress={() => setForgetting(true)}>
        <Trans>Delete what is stored here</Trans>
      </Button>
      <ForgetDialog isOpen={forgetting} onClose={() => setForgetting(false)} />
    </Frame>
  );
}
