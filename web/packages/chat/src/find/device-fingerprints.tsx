import { Trans, useLingui } from "@lingui/react/macro";
import type { DeviceView, Id } from "@pakawaaz/api/protocol";
import { Badge, Section } from "@pakawaaz/ui";
import { Smartphone } from "lucide-react";
import { useTopic } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";
import { useOfficial } from "./use-find";

/** Devices and fingerprints of officials; several get their names above. */
export function DeviceFingerprints({ officials, title }: { officials: Id[]; title?: string }) {
  const { t } = useLingui();
  return (
    <Section
      title={title ?? t`Devices and fingerprints`}
      hint={
        <Trans>
          Compare a fingerprint in person or over a telephone call with a voice you know. If it differs, write nothing
          and tell your administrator.
        </Trans>
      }
    >
      {officials.map((official) => (
        <Devices key={official} official={official} named={officials.length > 1} />
      ))}
    </Section>
  );
}

function Devices({ official, named }: { official: Id; named: boolean }) {
  const format = useFormat();
  const found = useOfficial(official).official;
  const devices = useTopic("devices", { official });
  const theirs = (devices ?? []).filter((device) => device.status !== "revoked");
  return (
    <div>
      {named && found && (
        <h3 className="mb-1 font-medium">
          <UserText>{format.name(found.name)}</UserText>
        </h3>
      )}
      {theirs.length === 0 ? (
        <p className="text-muted">
          {devices ? <Trans>No device yet.</Trans> : <Trans>Shown as soon as the server has been asked.</Trans>}
        </p>
      ) : (
        <ul className="flex flex-col gap-4">
          {theirs.map((device) => (
            <Device key={device.device} device={device} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Device({ device }: { device: DeviceView }) {
  const { t } = useLingui();
  const format = useFormat();
  const statuses: Record<DeviceView["status"], string> = {
    pending: t`Waits for approval`,
    active: t`Active`,
    suspended: t`Suspended`,
    revoked: t`Revoked`,
  };
  return (
    <li className="flex items-start gap-3">
      <Smartphone size={20} aria-hidden className="mt-1 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{device.label ?? t`Device since ${format.date(device.enrolled_at)}`}</span>
          {device.this_device && <Badge tone="info">{t`This device`}</Badge>}
          {device.verified ? (
            <Badge tone="ok">{t`Certificate checked`}</Badge>
          ) : (
            <Badge tone="warn">{t`Not checked yet`}</Badge>
          )}
          {device.status !== "active" && <Badge tone="warn">{statuses[device.status]}</Badge>}
        </p>
        <p className="code mt-1 break-all text-ink">{device.fingerprint}</p>
      </div>
    </li>
  );
}
