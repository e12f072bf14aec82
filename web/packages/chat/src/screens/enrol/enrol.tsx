import { Trans, useLingui } from "@lingui/react/macro";
import type { VoucherView } from "@pakawaaz/api/protocol";
import { Banner, Button, PasswordField, PinField, TextField } from "@pakawaaz/ui";
import { FileText, QrCode, ShieldCheck } from "lucide-react";
import { type DragEvent, type FormEvent, useRef, useState } from "react";
import { useCommand } from "../../app/engine.tsx";
import { Refusal } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { Frame } from "../frame.tsx";
import { usePasswordFieldLabels } from "../labels.ts";
import { type CardText, splitCard } from "./card.ts";
import { labelSuggestion } from "./label.ts";
import { EnrolProgress } from "./progress.tsx";
import { Scanner } from "./scanner.tsx";
import { obviousPin, strength } from "./strength.ts";

export const MIN_PIN = 6;

interface Known {
  card: CardText;
  voucher: VoucherView;
}

/** From a voucher to a profile, in three short pages. `onEnrolled` gets the new password, to log in with at once. */
export function Enrol({ onEnrolled }: { onEnrolled(password: string | null): void }) {
  const [known, setKnown] = useState<Known | null>(null);
  const enrol = useCommand("enrol");
  const persist = useCommand("persist_storage");
  const [begun, setBegun] = useState(false);

  if (!known) return <VoucherPage onKnown={setKnown} />;
  if (begun) {
    return (
      <EnrolProgress
        voucher={known.voucher}
        progress={enrol.progress}
        error={enrol.error}
        onBack={() => {
          enrol.reset();
          setBegun(false);
        }}
        onRestart={() => {
          enrol.reset();
          setBegun(false);
          setKnown(null);
        }}
      />
    );
  }
  return (
    <SecretsPage
      known={known}
      onBack={() => setKnown(null)}
      onSubmit={async ({ pin, password, label }) => {
        setBegun(true);
        const { voucher, sim } = known.card;
        const done = await enrol.run({ voucher, card: sim, pin, password, label });
        if (!done) return;
        // Browsers grant this more readily right after something was done here.
        void persist.run({});
        onEnrolled(password);
      }}
    />
  );
}

function VoucherPage({ onKnown }: { onKnown(known: Known): void }) {
  const { t } = useLingui();
  const [text, setText] = useState("");
  const [sim, setSim] = useState("");
  const [scanning, setScanning] = useState(false);
  const [dragging, setDragging] = useState(false);
  const check = useCommand("check_voucher");
  const [view, setView] = useState<VoucherView | null>(null);
  const card = splitCard(text);
  const needsSim = card.voucher !== "" && card.sim === "" && check.error === null && view !== null;
  const file = useRef<HTMLInputElement>(null);

  async function examine(now: string, simText = sim) {
    const parts = splitCard(now);
    const seen = await check.run({ voucher: parts.voucher });
    setView(seen ?? null);
    const found = parts.sim || simText.trim();
    if (seen?.here && seen.kind !== "reset" && found)
      onKnown({ card: { voucher: parts.voucher, sim: found }, voucher: seen });
  }
  /** A card, a voucher or a SIM file, whichever comes first. */
  async function take(incoming: string) {
    const parts = splitCard(incoming);
    if (!parts.voucher && parts.sim && card.voucher) {
      setSim(parts.sim);
      await examine(text, parts.sim);
      return;
    }
    setText(incoming);
    await examine(incoming);
  }
  async function drop(event: DragEvent) {
    event.preventDefault();
    setDragging(false);
    const dropped = event.dataTransfer.files[0];
    if (dropped) await take(await dropped.text());
  }

  return (
    <Frame
      title={t`Enrol this device`}
      lead={
        <Trans>
          Your administrator gave you an enrolment card: a voucher and a SIM. It makes this browser yours, once, and is
          worth nothing afterwards.
        </Trans>
      }
    >
      {scanning ? (
        <Scanner
          accept={(found) => {
            if (!/PKW1\.|\{/.test(found)) return false;
            setScanning(false);
            void take(found);
            return true;
          }}
          onCancel={() => setScanning(false)}
        />
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            void examine(text);
          }}
        >
          {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button beside it does the same */}
          <div
            className={`flex flex-col gap-4 rounded-control ${dragging ? "outline-2 outline-dashed outline-offset-8 outline-focus" : ""}`}
            onDragOver={(event) => {
              event.preventDefault();
              setDragging(true);
            }}
            onDragLeave={() => setDragging(false)}
            onDrop={(event) => void drop(event)}
          >
            <TextField
              label={t`Text of the card`}
              value={text}
              onChange={(now) => {
                setText(now);
                setView(null);
                check.reset();
              }}
              rows={4}
              code
              autoComplete="off"
              hint={t`Paste it, drop its file here, or scan its code.`}
              placeholder="PKW1.…"
            />
            {needsSim && view?.here && view.kind !== "reset" && (
              <TextField
                label={t`SIM file`}
                value={sim}
                onChange={setSim}
                rows={3}
                code
                autoComplete="off"
                hint={t`The voucher is good. The SIM came apart from it: paste or drop its file.`}
              />
            )}
          </div>
          <Refusal error={check.error} />
          {view && !view.here && (
            <Banner tone="warn" live title={t`This voucher is for another address`}>
              <Trans>
                Open <span className="code break-all">{view.url}</span> in this browser and enrol there.
              </Trans>
            </Banner>
          )}
          {view?.here && view.kind === "reset" && (
            <Banner tone="warn" live title={t`This voucher sets a new password`}>
              <Trans>Use it on a device that is enrolled already, on the page where you log in.</Trans>
            </Banner>
          )}
          <Button type="submit" kind="primary" size="large" wide busy={check.running} isDisabled={!card.voucher}>
            <Trans>Continue</Trans>
          </Button>
          <div className="grid grid-cols-2 gap-2">
            <Button icon={QrCode} onPress={() => setScanning(true)}>
              <Trans>Scan code</Trans>
            </Button>
            <Button icon={FileText} onPress={() => file.current?.click()}>
              <Trans>Choose file</Trans>
            </Button>
            <input
              ref={file}
              type="file"
              hidden
              accept=".txt,.json,.card,text/plain,application/json"
              onChange={(event) => {
                const chosen = event.target.files?.[0];
                event.target.value = "";
                if (chosen) void chosen.text().then(take);
              }}
            />
          </div>
        </form>
      )}
      <AboutSoftwareSim />
    </Frame>
  );
}

/** Said where the SIM is handed over, and nowhere hidden. */
function AboutSoftwareSim() {
  return (
    <details className="text-sm text-muted">
      <summary className="min-h-9 cursor-default py-1.5 text-brand-ink">
        <Trans>How a SIM gets into a browser</Trans>
      </summary>
      <p>
        <Trans>
          A browser cannot reach the SIM in a telephone. The card therefore carries a software SIM, which is kept
          encrypted in this browser. Whoever copies the card before you use it has a copy of that SIM: treat the card
          like a key, and do not pass it on in a chat.
        </Trans>
      </p>
    </details>
  );
}

function SecretsPage({
  known,
  onBack,
  onSubmit,
}: {
  known: Known;
  onBack(): void;
  onSubmit(secrets: { pin: string; password: string | null; label: string }): void;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const fieldLabels = usePasswordFieldLabels();
  const { kind, realm, not_after } = known.voucher;
  const [label, setLabel] = useState(() => labelSuggestion());
  const [password, setPassword] = useState("");
  const [repeat, setRepeat] = useState("");
  const [pin, setPin] = useState("");
  const [pinRepeat, setPinRepeat] = useState("");
  const [tried, setTried] = useState(false);
  const setsPassword = kind !== "additional";
  const required = kind === "first";
  const level = strength(password);

  const problems = {
    label: label.trim() ? null : t`Give this device a name.`,
    password:
      setsPassword && (required || password) && level < 2
        ? t`Too easy to guess. Make it longer: four unrelated words are good.`
        : null,
    repeat: setsPassword && password && repeat !== password ? t`The two passwords differ.` : null,
    pin: pin.length < MIN_PIN ? t`At least six digits.` : obviousPin(pin) ? t`Everybody tries this one first.` : null,
    pinRepeat: pinRepeat !== pin ? t`The two PINs differ.` : null,
  };
  const ready = Object.values(problems).every((problem) => problem === null);
  /** Complaints come while something is being corrected, not while it is first typed. */
  const shown = (problem: string | null, value: string, done = tried) => (done && (value || tried) ? problem : null);
  const levels = [t`Too easy`, t`Weak`, t`Fair`, t`Good`, t`Strong`];

  return (
    <Frame
      title={t`Choose your secrets`}
      lead={
        <Trans>
          Voucher of <strong>{realm}</strong>, valid until {format.dateTime(not_after)}.
        </Trans>
      }
    >
      <form
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (ready) onSubmit({ pin, password: password || null, label: label.trim() });
        }}
      >
        <TextField
          label={t`Name of this device`}
          hint={t`You and your colleagues see it in the list of devices.`}
          value={label}
          onChange={setLabel}
          maxLength={64}
          error={shown(problems.label, label)}
        />
        {kind === "additional" && (
          <Banner tone="info">
            <Trans>
              This is a further device. Your password stays as it is, and another device of yours approves this one.
            </Trans>
          </Banner>
        )}
        {setsPassword && (
          <>
            <PasswordField
              label={required ? t`Password` : t`New password, if you want another one`}
              hint={t`For logging in, on every device. The server never learns it, so nobody can tell it to you.`}
              autoComplete="new-password"
              value={password}
              onChange={setPassword}
              error={shown(problems.password, password)}
              {...fieldLabels}
            />
            {password && (
              <div className="-mt-3 flex items-center gap-3 text-sm">
                <div aria-hidden className="grid flex-1 grid-cols-4 gap-1">
                  {[1, 2, 3, 4].map((step) => (
                    <span
                      key={step}
                      className={`h-1.5 rounded-full ${level >= step ? (level < 2 ? "bg-danger" : "bg-brand") : "bg-sunken"}`}
                    />
                  ))}
                </div>
                <span role="status">{levels[level]}</span>
              </div>
            )}
            <PasswordField
              label={t`Password again`}
              autoComplete="new-password"
              value={repeat}
              onChange={setRepeat}
              error={shown(problems.repeat, repeat, tried || repeat.length >= password.length)}
              {...fieldLabels}
            />
          </>
        )}
        <PinField
          label={t`PIN for this device`}
          hint={t`Six digits or more. It opens the app here, also without a connection, and never leaves this device.`}
          autoComplete="off"
          value={pin}
          onChange={setPin}
          error={shown(problems.pin, pin, tried || obviousPin(pin))}
        />
        <PinField
          label={t`PIN again`}
          autoComplete="off"
          value={pinRepeat}
          onChange={setPinRepeat}
          error={shown(problems.pinRepeat, pinRepeat, tried || pinRepeat.length >= Math.max(pin.length, MIN_PIN))}
        />
        <div className="flex flex-col gap-2">
          <Button type="submit" kind="primary" size="large" wide icon={ShieldCheck}>
            <Trans>Enrol this device</Trans>
          </Button>
          <Button kind="quiet" wide onPress={onBack}>
            <Trans>Back</Trans>
          </Button>
        </div>
      </form>
    </Frame>
  );
}
