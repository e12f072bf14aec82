import { Trans, useLingui } from "@lingui/react/macro";
import type { TransferView } from "@pakawaaz/api/protocol";
import { IconButton, Section, toast } from "@pakawaaz/ui";
import { Download, Trash2 } from "lucide-react";
import { useEngine, useTopic } from "../../app/engine.tsx";
import { useErrorText } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { harmlessName } from "../../chat/logic/text";
import { UserText } from "../../chat/parts/user-text";
import { percent } from "../../files/logic/sizes";
import { saveAs } from "../../files/use-blob-url";

/** Downloads that lie on this device and that nobody goes on with: they end by themselves, or here. */
export function KeptFiles() {
  const { t } = useLingui();
  const transfers = useTopic("transfers", {});
  const kept = (transfers ?? []).filter(({ direction, kept_until }) => direction === "down" && kept_until !== null);
  if (kept.length === 0) return null;
  return (
    <Section
      title={t`Fetched, but not saved`}
      hint={
        <Trans>
          These files are kept here encrypted, so that they need not be fetched again. Each is deleted on the day shown;
          its message stays.
        </Trans>
      }
    >
      <ul className="flex flex-col gap-1">
        {kept.map((transfer) => (
          <Kept key={transfer.transfer} transfer={transfer} />
        ))}
      </ul>
    </Section>
  );
}

function Kept({ transfer }: { transfer: TransferView }) {
  const { t } = useLingui();
  const engine = useEngine();
  const format = useFormat();
  const errorText = useErrorText();
  const failed = (error: unknown) => toast({ text: errorText(error) });
  const name = harmlessName(transfer.name);
  const { group, message } = transfer;
  const whole = transfer.state === "done";
  const until = format.date(transfer.kept_until ?? 0);
  const share = format.number(percent(transfer.done, transfer.size));
  return (
    <li className="flex min-h-11 items-center gap-1">
      <div className="min-w-0 flex-1">
        <UserText block className="truncate font-medium">
          {name}
        </UserText>
        <p className="text-sm text-muted">
          {format.bytes(transfer.done)}
          {!whole && <> ({share}%)</>} · {t`until ${until}`}
        </p>
      </div>
      {whole && message && (
        <IconButton
          icon={Download}
          label={t`Save ${name}`}
          onPress={() => void engine.download({ group, message }).then((blob) => saveAs(blob, name), failed)}
        />
      )}
      <IconButton
        icon={Trash2}
        label={t`Delete ${name} from this device`}
        onPress={() => void engine.call("cancel_transfer", { transfer: transfer.transfer }).catch(failed)}
      />
    </li>
  );
}
