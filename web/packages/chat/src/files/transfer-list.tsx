import { Plural, Trans, useLingui } from "@lingui/react/macro";
import type { TransferView } from "@pakawaaz/api/protocol";
import { Button, cx, IconButton, Progress } from "@pakawaaz/ui";
import { FileUp, Pause, Play, RotateCcw, X } from "lucide-react";
import { useRef, useState } from "react";
import { useEngine } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { harmlessName } from "../chat/logic/text";
import { UserText } from "../chat/parts/user-text";
import { useWords } from "../chat/words";
import { percent, secondsLeft, speedText } from "./logic/sizes";
import { useLimits } from "./use-limits";

/** How many are shown at first: the messages need the room. */
const FOLDED = 2;

/** Files on their way out of one conversation. */
export function TransferList({ transfers, onError }: { transfers: TransferView[]; onError(code: string): void }) {
  const { t } = useLingui();
  const [all, setAll] = useState(false);
  if (transfers.length === 0) return null;
  const shown = all ? transfers : transfers.slice(0, FOLDED);
  return (
    <section
      aria-label={t`Files being sent`}
      className="mx-3 mb-2 max-h-[34dvh] shrink-0 overflow-y-auto rounded-card border border-line bg-surface shadow-raised sm:mx-5"
    >
      <ul className="divide-y divide-line">
        {shown.map((transfer) => (
          <TransferRow key={transfer.transfer} transfer={transfer} onError={onError} />
        ))}
      </ul>
      {transfers.length > FOLDED && (
        <Button kind="quiet" size="small" wide onPress={() => setAll(!all)}>
          {all ? (
            <Trans>Show fewer</Trans>
          ) : (
            <Plural value={transfers.length - FOLDED} one="# more file" other="# more files" />
          )}
        </Button>
      )}
    </section>
  );
}

function TransferRow({ transfer, onError }: { transfer: TransferView; onError(code: string): void }) {
  const { t } = useLingui();
  const engine = useEngine();
  const words = useWords();
  const format = useFormat();
  const picker = useRef<HTMLInputElement>(null);
  const name = harmlessName(transfer.name);
  const call = (command: "pause_transfer" | "resume_transfer" | "cancel_transfer" | "provide_file", files?: File[]) =>
    engine
      .call(command, { transfer: transfer.transfer }, files ? { files } : undefined)
      .catch((error: { code?: string }) => onError(error.code ?? "client.unexpected"));

  const limits = useLimits(transfer);
  const done = percent(transfer.done, transfer.size);
  const left = secondsLeft(transfer.size, transfer.done, transfer.bytes_per_second);
  const states: Record<TransferView["state"], string> = {
    preparing: t`Encrypting on this device`,
    running: [
      `${format.number(done)}%`,
      speedText(transfer.bytes_per_second, format.language),
      left === null ? "" : t`${format.duration(left * 1000)} left`,
    ]
      .filter(Boolean)
      .join(" · "),
    paused: t`Paused at ${format.number(done)}%`,
    waiting: t`Goes on when the connection is back`,
    failed: [words.failure(transfer.failure), limits].filter(Boolean).join(" "),
    needs_file: t`The app was closed before the file was read completely. Choose the same file again to go on.`,
    done: t`Sent`,
  };
  const runs = transfer.state === "running" || transfer.state === "preparing" || transfer.state === "waiting";
  // Encrypting counts for a little, so that the bar of a slow connection does not look dead.
  const value =
    transfer.size > 0 ? (transfer.done * 0.95 + Math.max(transfer.prepared, transfer.done) * 0.05) / transfer.size : 1;
  return (
    <li className="flex items-center gap-2 py-2 ps-3 pe-1">
      <FileUp
        size={20}
        aria-hidden
        className={cx(
          transfer.state === "failed" || transfer.state === "needs_file" ? "text-danger-ink" : "text-muted",
        )}
      />
      <div className="min-w-0 flex-1">
        <div className="flex items-baseline gap-2">
          <UserText block className="min-w-0 flex-1 truncate font-medium">
            {name}
          </UserText>
          <span className="shrink-0 text-xs text-muted tabular-nums">{words.size(transfer.size)}</span>
        </div>
        {transfer.state !== "needs_file" && (
          <Progress
            label={t`Sending ${name}`}
            value={value}
            tone={transfer.state === "failed" ? "danger" : runs ? "brand" : "muted"}
          />
        )}
        <p
          className={cx(
            "mt-0.5 text-xs tabular-nums",
            transfer.state === "failed" || transfer.state === "needs_file" ? "text-danger-ink" : "text-muted",
          )}
        >
          {states[transfer.state]}
        </p>
        {transfer.state === "needs_file" && (
          <>
            <Button size="small" className="mt-1" onPress={() => picker.current?.click()}>
              <Trans>Choose the file again</Trans>
            </Button>
            <input
              ref={picker}
              type="file"
              hidden
              tabIndex={-1}
              onChange={(event) => {
                const file = event.target.files?.[0];
                event.target.value = "";
                if (file) void call("provide_file", [file]);
              }}
            />
          </>
        )}
      </div>
      {runs && (
        <IconButton icon={Pause} size="small" label={t`Pause ${name}`} onPress={() => void call("pause_transfer")} />
      )}
      {transfer.state === "paused" && (
        <IconButton icon={Play} size="small" label={t`Resume ${name}`} onPress={() => void call("resume_transfer")} />
      )}
      {transfer.state === "failed" && (
        <IconButton
          icon={RotateCcw}
          size="small"
          label={t`Try ${name} again`}
          onPress={() => void call("resume_transfer")}
        />
      )}
      <IconButton icon={X} size="small" label={t`Cancel ${name}`} onPress={() => void call("cancel_transfer")} />
    </li>
  );
}
