import { Trans, useLingui } from "@lingui/react/macro";
import type { DeviceView, SessionView } from "@pakawaaz/api/protocol";
import {
  asciiDigits,
  Badge,
  Banner,
  Button,
  Confirm,
  Dialog,
  EmptyState,
  ListRow,
  Section,
  Skeleton,
  TextField,
  TopBar,
  toast,
} from "@pakawaaz/ui";
import { Fingerprint } from "@pakawaaz/ui/qr";
import { Globe, KeyRound, MonitorSmartphone, QrCode, ShieldAlert, ShieldCheck, Smartphone } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { useCommand, useTopic } from "../app/engine.tsx";
import { Refusal } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { Scanner } from "./enrol/scanner.tsx";

/** Own devices and sessions: verify, approve, revoke, end. */
export function Devices() {
  const { t } = useLingui();
  const app = useTopic("app", {});
  const all = useTopic("devices", {});
  // The topic may carry devices of others whose codes were compared; this page is about one's own.
  const devices = all?.filter((device) => device.official === app?.me?.official);
  const pending = devices?.filter((d) => d.status === "pending" && !d.this_device) ?? [];
  const live = devices?.filter((d) => d.status === "active" || d.status === "suspended" || d.this_device) ?? [];
  const gone = devices?.filter((d) => d.status === "revoked" && !d.this_device) ?? [];
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <TopBar title={t`Devices and sessions`} />
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex w-full max-w-2xl flex-col gap-6 p-4 pb-10 sm:p-6">
          {!devices ? (
            <>
              <Skeleton className="h-28" />
              <Skeleton className="h-28" />
            </>
          ) : (
            <>
              {pending.length > 0 && (
                <Section
                  title={t`Waiting for approval`}
                  hint={<Trans>Approve only a device that is in your hands, with a code that is the same.</Trans>}
                >
                  {pending.map((device) => (
                    <DeviceRow key={device.device} device={device} />
                  ))}
                </Section>
              )}
              <Section title={t`Your devices`}>
                {live.map((device) => (
                  <DeviceRow key={device.device} device={device} />
                ))}
              </Section>
              <Sessions devices={devices} />
              {gone.length > 0 && (
                <Section title={t`Revoked`}>
                  {gone.map((device) => (
                    <DeviceRow key={device.device} device={device} />
                  ))}
                </Section>
              )}
            </>
          )}
        </div>
      </div>
    </div>
  );
}

export function useAssuranceLabel(): (assurance: string) => string {
  const { t } = useLingui();
  return (assurance) =>
    ({
      software_web: t`Web, software`,
      software_native: t`App, software`,
      tee: t`Protected hardware`,
      secure_element: t`Secure element`,
      measured_boot: t`Secure element, measured start`,
    })[assurance] ?? assurance;
}

function DeviceRow({ device }: { device: DeviceView }) {
  const { t } = useLingui();
  const format = useFormat();
  const assurance = useAssuranceLabel();
  const [open, setOpen] = useState<"code" | "approve" | "revoke" | null>(null);
  const revoke = useCommand("revoke_device");
  const name = device.label ?? t`Device without a name`;
  const Icon = device.assurance === "software_web" ? Globe : Smartphone;
  const status = {
    pending: <Badge tone="warn">{t`Not approved`}</Badge>,
    active: null,
    suspended: <Badge tone="warn">{t`Suspended`}</Badge>,
    revoked: <Badge tone="danger">{t`Revoked`}</Badge>,
  }[device.status];
  return (
    <div className="flex flex-col gap-2 border-line not-last:border-b not-last:pb-3">
      <ListRow
        flush
        leading={
          <span aria-hidden className="grid size-11 place-content-center rounded-full bg-sunken text-muted">
            <Icon size={22} />
          </span>
        }
        title={<span dir="auto">{name}</span>}
        detail={
          <>
            {assurance(device.assurance)}
            {" · "}
            {device.this_device
              ? t`in use now`
              : device.last_seen_at
                ? t`last seen ${format.relative(device.last_seen_at)}`
                : t`enrolled ${format.dateTime(device.enrolled_at)}`}
            <span className="flex flex-wrap gap-1 empty:hidden">
              {device.this_device && <Badge tone="brand">{t`This device`}</Badge>}
              {status}
            </span>
          </>
        }
      />
      {device.status !== "revoked" && (
        <div className="flex flex-wrap gap-2 ps-14">
          {device.status === "pending" ? (
            <Button size="small" kind="primary" icon={ShieldCheck} onPress={() => setOpen("approve")}>
              <Trans>Compare and approve</Trans>
            </Button>
          ) : (
            <Button size="small" icon={KeyRound} onPress={() => setOpen("code")}>
              <Trans>Show code</Trans>
            </Button>
          )}
          <Button size="small" kind="quiet" className="text-danger-ink" onPress={() => setOpen("revoke")}>
            {device.status === "pending" ? <Trans>Refuse</Trans> : <Trans>Revoke</Trans>}
          </Button>
        </div>
      )}
      <Dialog title={t`Code of “${name}”`} isOpen={open === "code"} onClose={() => setOpen(null)} closeLabel={t`Close`}>
        <div className="flex flex-col items-center gap-4 pb-3">
          <Fingerprint code={device.fingerprint} label={t`Code of this device`} />
          <p className="text-sm text-muted">
            <Trans>A colleague sees the same digits for this device. Compare them in person or by telephone.</Trans>
          </p>
        </div>
      </Dialog>
      <ApproveDialog device={device} name={name} isOpen={open === "approve"} onClose={() => setOpen(null)} />
      <Confirm
        title={device.this_device ? t`Revoke the device you are using?` : t`Revoke “${name}”?`}
        isOpen={open === "revoke"}
        onClose={() => setOpen(null)}
        closeLabel={t`Keep it`}
        confirmLabel={t`Revoke`}
        kind="danger"
        busy={revoke.running}
        onConfirm={async () => {
          if ((await revoke.run({ device: device.device })) === undefined) return;
          setOpen(null);
          toast({ text: t`The device was revoked.` });
        }}
      >
        <div className="flex flex-col gap-3">
          <p>
            {device.this_device ? (
              <Trans>You are cut off here at once. What is stored can then only be deleted.</Trans>
            ) : (
              <Trans>It is cut off within a second, and every conversation shuts it out. This cannot be undone.</Trans>
            )}
          </p>
          <Refusal error={revoke.error} />
        </div>
      </Confirm>
    </div>
  );
}

/** Six groups of five. */
const CODE_DIGITS = 30;

function ApproveDialog({
  device,
  name,
  isOpen,
  onClose,
}: {
  device: DeviceView;
  name: string;
  isOpen: boolean;
  onClose(): void;
}) {
  const { t } = useLingui();
  const [code, setCode] = useState("");
  const [scanning, setScanning] = useState(false);
  const approve = useCommand("approve_device");
  const digits = code.replace(/\D/g, "");
  const close = () => {
    setCode("");
    setScanning(false);
    approve.reset();
    onClose();
  };
  async function submit(text: string) {
    if ((await approve.run({ device: device.device, code: text })) === undefined) return;
    toast({ text: t`“${name}” is approved.` });
    close();
  }
  const mismatch = approve.error?.code === "client.code_mismatch";
  return (
    <Dialog
      title={t`Approve “${name}”`}
      isOpen={isOpen}
      onClose={close}
      closeLabel={t`Cancel`}
      actions={
        !scanning && (
          <>
            <Button onPress={close}>
              <Trans>Cancel</Trans>
            </Button>
            <Button
              kind="primary"
              busy={approve.running}
              isDisabled={digits.length < CODE_DIGITS}
              onPress={() => void submit(code)}
            >
              <Trans>Compare and approve</Trans>
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-4">
        <p>
          <Trans>
            Enter the code that the new device shows now, or scan it. This device compares it with what the server says.
          </Trans>
        </p>
        {scanning ? (
          <Scanner
            accept={(found) => {
              if (found.replace(/\D/g, "").length !== CODE_DIGITS) return false;
              setScanning(false);
              setCode(found);
              void submit(found);
              return true;
            }}
            onCancel={() => setScanning(false)}
          />
        ) : (
          <>
            <TextField
              label={t`Code on the new device`}
              value={code}
              onChange={(text) => setCode(grouped(text))}
              rows={2}
              code
              inputMode="numeric"
              autoComplete="off"
              autoFocus
            />
            <Button icon={QrCode} onPress={() => setScanning(true)}>
              <Trans>Scan code</Trans>
            </Button>
          </>
        )}
        <Refusal error={approve.error} />
        {mismatch && (
          <Banner tone="warn" icon={ShieldAlert}>
            <Trans>If you typed it as shown, refuse this device and tell your administrator.</Trans>
          </Banner>
        )}
      </div>
    </Dialog>
  );
}

/** Digits in groups of five, as they are shown. */
export function grouped(text: string): string {
  return (asciiDigits(text).match(/.{1,5}/g) ?? []).join(" ");
}

function Sessions({ devices }: { devices: DeviceView[] }) {
  const { t } = useLingui();
  const format = useFormat();
  const [sessions, setSessions] = useState<SessionView[] | null>(null);
  const list = useCommand("sessions");
  const end = useCommand("end_session");
  const app = useTopic("app", {});
  const online = app?.connection === "online";
  const { run } = list;
  const load = useCallback(() => void run({}).then((reply) => reply && setSessions(reply.sessions)), [run]);
  useEffect(() => {
    if (online) load();
  }, [load, online]);
  return (
    <Section
      title={t`Sessions`}
      hint={<Trans>A session begins with a login and ends by itself after some hours.</Trans>}
    >
      {sessions === null ? (
        list.error ? (
          <div className="flex flex-col items-start gap-3">
            <Refusal error={list.error} />
            <Button size="small" onPress={load}>
              <Trans>Try again</Trans>
            </Button>
          </div>
        ) : online ? (
          <Skeleton className="h-14" />
        ) : (
          <p className="text-muted">
            <Trans>Sessions are shown when there is a connection.</Trans>
          </p>
        )
      ) : sessions.length === 0 ? (
        <EmptyState icon={MonitorSmartphone} title={t`No session is open`} />
      ) : (
        sessions.map((session) => {
          const label = devices.find((d) => d.device === session.device)?.label ?? t`Device without a name`;
          const span = t`since ${format.dateTime(session.started_at)}, until ${format.dateTime(session.ends_at)}`;
          const sim = session.sim === "phone" ? t`SIM proven by your phone in the network` : t`SIM proven by the card`;
          return (
            <ListRow
              key={session.session}
              flush
              title={<span dir="auto">{label}</span>}
              detail={`${span} · ${sim}`}
              trailing={
                session.this_session ? (
                  <Badge tone="brand">{t`This session`}</Badge>
                ) : (
                  <Button
                    size="small"
                    busy={end.running}
                    aria-label={t`End the session of “${label}”`}
                    onPress={async () => {
                      if ((await end.run({ session: session.session })) === undefined) return;
                      toast({ text: t`The session was ended.` });
                      load();
                    }}
                  >
                    <Trans>End</Trans>
                  </Button>
                )
              }
            />
          );
        })
      )}
      <Refusal error={end.error} />
    </Section>
  );
}
