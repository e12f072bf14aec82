import { Trans, useLingui } from "@lingui/react/macro";
import { Button, PasswordField, PinField, Section, toast } from "@pakawaaz/ui";
import { useState } from "react";
import { useCommand, useTopic } from "../../app/engine.tsx";
import { Refusal, useWait } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { MIN_PIN } from "../enrol/enrol.tsx";
import { obviousPin, strength } from "../enrol/strength.ts";
import { usePasswordFieldLabels } from "../labels.ts";

export function Secrets() {
  return (
    <>
      <ChangePin />
      <ChangePassword />
    </>
  );
}

function ChangePin() {
  const { t } = useLingui();
  const format = useFormat();
  const [old, setOld] = useState("");
  const [pin, setPin] = useState("");
  const [repeat, setRepeat] = useState("");
  const command = useCommand("change_pin");
  const wait = useWait(command.error);
  const weak = obviousPin(pin) ? t`Everybody tries this one first.` : null;
  const differ = repeat.length >= Math.max(pin.length, MIN_PIN) && repeat !== pin ? t`The two PINs differ.` : null;
  return (
    <Section title={t`PIN of this device`} hint={<Trans>Other devices keep their own PIN.</Trans>}>
      <form
        className="flex flex-col gap-4"
        onSubmit={async (event) => {
          event.preventDefault();
          if ((await command.run({ old, new: pin })) === undefined) return;
          setOld("");
          setPin("");
          setRepeat("");
          toast({ text: t`The PIN was changed.` });
        }}
      >
        <PinField label={t`Present PIN`} value={old} onChange={setOld} autoComplete="off" />
        <PinField label={t`New PIN`} value={pin} onChange={setPin} autoComplete="off" error={weak} />
        <PinField label={t`New PIN again`} value={repeat} onChange={setRepeat} autoComplete="off" error={differ} />
        <Refusal error={command.error} />
        <Button
          type="submit"
          kind="primary"
          busy={command.running}
          isDisabled={old.length < MIN_PIN || pin.length < MIN_PIN || weak !== null || repeat !== pin || wait > 0}
        >
          {wait > 0 ? t`Wait ${format.duration(wait)}` : t`Change the PIN`}
        </Button>
      </form>
    </Section>
  );
}

function ChangePassword() {
  const { t } = useLingui();
  const format = useFormat();
  const labels = usePasswordFieldLabels();
  const app = useTopic("app", {});
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const [repeat, setRepeat] = useState("");
  const login = useCommand("login");
  const command = useCommand("change_password");
  const error = login.error ?? command.error;
  const wait = useWait(error);
  const weak =
    password && strength(password) < 2 ? t`Too easy to guess. Make it longer: four unrelated words are good.` : null;
  const differ = repeat.length >= password.length && repeat !== password ? t`The two passwords differ.` : null;
  const offline = app?.connection === "offline";
  return (
    <Section
      title={t`Password`}
      hint={<Trans>It counts on every device. Every other session ends when it changes.</Trans>}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={async (event) => {
          event.preventDefault();
          command.reset();
          // The server wants a login that is fresh; the old password proves it with the other two factors.
          if ((await login.run({ password: old })) === undefined) return;
          if ((await command.run({ password })) === undefined) return;
          setOld("");
          setPassword("");
          setRepeat("");
          toast({ text: t`The password was changed.` });
        }}
      >
        <PasswordField
          label={t`Present password`}
          value={old}
          onChange={setOld}
          autoComplete="current-password"
          {...labels}
        />
        <PasswordField
          label={t`New password`}
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          error={weak}
          {...labels}
        />
        <PasswordField
          label={t`New password again`}
          value={repeat}
          onChange={setRepeat}
          autoComplete="new-password"
          error={differ}
          {...labels}
        />
        {offline && (
          <p className="text-sm text-muted">
            <Trans>This needs a connection.</Trans>
          </p>
        )}
        <Refusal error={error} />
        <Button
          type="submit"
          kind="primary"
          busy={login.running || command.running}
          isDisabled={!old || !password || weak !== null || repeat !== password || wait > 0 || offline}
        >
          {wait > 0 ? t`Wait ${format.duration(wait)}` : t`Change the password`}
        </Button>
      </form>
    </Section>
  );
}
