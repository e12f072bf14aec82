import { Trans, useLingui } from "@lingui/react/macro";
import type { AppState, LoginStep } from "@pakawaaz/api/protocol";
import { Banner, Button, PasswordField, Stepper, TextField } from "@pakawaaz/ui";
import { useEffect, useRef, useState } from "react";
import { useCommand, useOnline } from "../app/engine.tsx";
import { Refusal, useWait } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { Frame } from "./frame.tsx";
import { usePasswordFieldLabels, useStepLabels } from "./labels.ts";
import { stepStates } from "./steps.ts";

const ORDER = ["device", "password", "sim", "session"] as const;

export interface LoginProps {
  app: AppState;
  /** Set right after enrolment, where the password was just chosen: log in without asking again. */
  password?: string | null;
  onPasswordUsed?(): void;
  /** Go on reading without a session, where that is offered. */
  onRead?(): void;
}

/** The three factors, shown as they are proven. */
export function Login({ app, password: given, onPasswordUsed, onRead }: LoginProps) {
  const { t } = useLingui();
  const format = useFormat();
  const labels = usePasswordFieldLabels();
  const stateLabels = useStepLabels();
  const [password, setPassword] = useState("");
  const [resetting, setResetting] = useState(false);
  const login = useCommand("login");
  const wait = useWait(login.error);
  const started = useRef(false);
  const { run } = login;
  useEffect(() => {
    if (!given || started.current) return;
    started.current = true;
    onPasswordUsed?.();
    void run({ password: given });
  }, [given, onPasswordUsed, run]);

  const offline = !useOnline();

  if (resetting) return <ResetPassword onDone={() => setResetting(false)} />;

  const showSteps = login.running || login.error !== null;
  const states = stepStates(ORDER, login.progress, login.error !== null);
  // Its sentence says all there is to do.
  const suspended = login.error?.code === "identity.suspended";
  const failed = ORDER.find((step) => states[step] === "refused");
  const texts: Record<LoginStep, [title: string, detail: string]> = {
    device: [t`Device`, t`This browser signs with its key.`],
    password: [t`Password`, t`You and the server prove that you know the same thing, without sending it.`],
    sim: [t`SIM`, t`It answers the server's question, and checks that the server is the real one.`],
    session: [t`Session`, t`All three belong together; the server opens a session.`],
  };
  const help: Partial<Record<LoginStep, string>> = {
    password: t`Check the keyboard's language and capital letters. A forgotten password is replaced with a voucher.`,
    sim: t`Device and password were right. If it happens again, your administrator can see what is wrong with the SIM.`,
    device: t`If this device was revoked, only a new enrolment helps.`,
  };

  return (
    <Frame
      title={app.me ? t`Welcome, ${format.name(app.me.name)}` : t`Log in`}
      lead={<Trans>Three things prove that it is you: this device, your password and your SIM.</Trans>}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (password && !wait && !login.running) void login.run({ password });
        }}
      >
        {/* Password managers look for a name beside the password. */}
        <input type="text" autoComplete="username" value={app.me?.username ?? ""} readOnly hidden />
        <PasswordField
          label={t`Password`}
          autoComplete="current-password"
          autoFocus={!given}
          value={password}
          onChange={setPassword}
          isDisabled={login.running}
          {...labels}
        />
        {offline && (
          <Banner tone="warn" live>
            <Trans>No connection to the server. Logging in needs one; reading does not.</Trans>
          </Banner>
        )}
        <Button type="submit" kind="primary" size="large" wide busy={login.running} isDisabled={!password || wait > 0}>
          {wait > 0 ? t`Wait ${format.duration(wait)}` : t`Log in`}
        </Button>
      </form>
      {showSteps && (
        <div className="flex flex-col gap-3">
          <Stepper
            label={t`Factors of the login`}
            stateLabels={stateLabels}
            steps={ORDER.map((step) => ({
              id: step,
              title: texts[step][0],
              detail: texts[step][1],
              state: states[step],
            }))}
          />
          <Refusal error={login.error} />
          {login.error && !suspended && failed && help[failed] && <p className="text-sm text-muted">{help[failed]}</p>}
        </div>
      )}
      <div className="flex flex-wrap justify-between gap-2">
        {onRead && (
          <Button kind="quiet" size="small" onPress={onRead} isDisabled={login.running}>
            <Trans>Read without logging in</Trans>
          </Button>
        )}
        <Button kind="quiet" size="small" onPress={() => setResetting(true)} isDisabled={login.running}>
          <Trans>I forgot my password</Trans>
        </Button>
      </div>
    </Frame>
  );
}

function ResetPassword({ onDone }: { onDone(): void }) {
  const { t } = useLingui();
  const labels = usePasswordFieldLabels();
  const [voucher, setVoucher] = useState("");
  const [password, setPassword] = useState("");
  const [repeat, setRepeat] = useState("");
  const reset = useCommand("reset_password");
  const [done, setDone] = useState(false);
  const differ = repeat.length >= password.length && repeat !== password ? t`The two passwords differ.` : null;
  if (done) {
    return (
      <Frame title={t`The new password is set`} lead={<Trans>Log in with it now.</Trans>}>
        <Button kind="primary" size="large" wide onPress={onDone} autoFocus>
          <Trans>To the login</Trans>
        </Button>
      </Frame>
    );
  }
  return (
    <Frame
      title={t`Set a new password`}
      lead={<Trans>Two administrators can issue a voucher for it. Nobody can look up the old password.</Trans>}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={async (event) => {
          event.preventDefault();
          if ((await reset.run({ voucher: voucher.trim(), password })) !== undefined) setDone(true);
        }}
      >
        <TextField
          label={t`Voucher`}
          value={voucher}
          onChange={setVoucher}
          rows={3}
          code
          autoComplete="off"
          placeholder="PKW1.…"
        />
        <PasswordField
          label={t`New password`}
          autoComplete="new-password"
          value={password}
          onChange={setPassword}
          {...labels}
        />
        <PasswordField
          label={t`Password again`}
          autoComplete="new-password"
          value={repeat}
          onChange={setRepeat}
          error={differ}
          {...labels}
        />
        <Refusal error={reset.error} />
        <Button
          type="submit"
          kind="primary"
          size="large"
          wide
          busy={reset.running}
          isDisabled={!voucher.trim() || password.length < 8 || repeat !== password}
        >
          <Trans>Set the password</Trans>
        </Button>
        <Button kind="quiet" wide onPress={onDone}>
          <Trans>Back</Trans>
        </Button>
      </form>
    </Frame>
  );
}
