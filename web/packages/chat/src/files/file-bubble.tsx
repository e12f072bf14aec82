import { useLingui } from "@lingui/react/macro";
import type { FileView, TransferView } from "@pakawaaz/api/protocol";
import { cx, IconButton, Progress, toast } from "@pakawaaz/ui";
import {
  Download,
  FileArchive,
  FileAudio,
  FileImage,
  FileText,
  FileVideo,
  type LucideIcon,
  Pause,
  Play,
  RotateCcw,
  X,
} from "lucide-react";
import { Button } from "react-aria-components";
import { useEngine } from "../app/engine.tsx";
import { useErrorText } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { harmlessName } from "../chat/logic/text";
import { UserText } from "../chat/parts/user-text";
import { useWords } from "../chat/words";
import { bubbleBox } from "./logic/fit";
import { canView, type FileKind, kindOf, typeLabel } from "./logic/kinds";
import { durationText, percent, speedText } from "./logic/sizes";
import { Thumbnail } from "./thumbnail";

const ICONS: Record<FileKind, LucideIcon> = {
  image: FileImage,
  video: FileVideo,
  audio: FileAudio,
  text: FileText,
  other: FileArchive,
};

export interface FileBubbleProps {
  file: FileView;
  /** The download under way, if there is one. */
  transfer: TransferView | null;
  mine: boolean;
  onOpen(): void;
  onSave(): void;
}

/** A file in a message: picture or name, size, type; pressing it fetches, checks and shows (or saves) it. */
export function FileBubble({ file, transfer, mine, onOpen, onSave }: FileBubbleProps) {
  const { t } = useLingui();
  const words = useWords();
  const kind = kindOf(file.media_type);
  const name = harmlessName(file.name);
  const size = words.size(file.size);
  const viewable = canView(file.media_type, file.size);
  const detail = [size, typeLabel(name, file.media_type)].filter(Boolean).join(" · ");
  if (file.thumbnail && (kind === "image" || kind === "video")) {
    const box = bubbleBox(file.width, file.height);
    return (
      <div className="-mx-2 -mt-0.5 mb-1 max-w-full overflow-hidden rounded-xl" style={{ width: box.width }}>
        <Button
          aria-label={kind === "image" ? t`Open photo ${name}, ${size}` : t`Open video ${name}, ${size}`}
          onPress={onOpen}
          className="relative block w-full overflow-hidden"
          style={{ aspectRatio: `${box.width} / ${box.height}` }}
        >
          <Thumbnail file={file} className="size-full" />
          {kind === "video" && (
            <span className="absolute inset-0 grid place-items-center" aria-hidden>
              <span className="grid size-12 place-items-center rounded-full bg-black/60 text-white">
                <Play size={24} />
              </span>
            </span>
          )}
          <span
            className="absolute end-1.5 bottom-1.5 rounded-full bg-black/65 px-2 text-xs leading-5 text-white tabular-nums"
            aria-hidden
          >
            {file.duration_ms !== null ? `${durationText(file.duration_ms)} · ${size}` : size}
          </span>
        </Button>
        {transfer && (
          <DownloadProgress transfer={transfer} name={name} viewable={viewable} onOpen={onOpen} onSave={onSave} />
        )}
      </div>
    );
  }
  const Icon = ICONS[kind];
  return (
    <div className="mb-0.5 w-72 max-w-full">
      <div className="flex items-center gap-2">
        <Button
          onPress={viewable ? onOpen : onSave}
          className="flex min-w-0 flex-1 items-center gap-2.5 rounded-lg py-1 text-start hover:underline"
        >
          <span
            className={cx(
              "grid size-10 shrink-0 place-items-center rounded-lg",
              mine ? "bg-black/8 dark:bg-white/10" : "bg-brand-soft text-brand-ink",
            )}
            aria-hidden
          >
            <Icon size={20} />
          </span>
          <span className="min-w-0 flex-1">
            <span className="sr-only">{viewable ? t`Open` : t`Save`} </span>
            <UserText className="line-clamp-2 font-medium break-all">{name}</UserText>
            <span className={cx("block text-xs tabular-nums", mine ? "text-mine-muted" : "text-muted")}>
              {file.duration_ms !== null ? `${durationText(file.duration_ms)} · ${detail}` : detail}
            </span>
          </span>
        </Button>
        {!transfer && viewable && (
          <IconButton icon={Download} size="small" label={t`Save ${name}`} onPress={onSave} className="text-current" />
        )}
      </div>
      {transfer && (
        <DownloadProgress transfer={transfer} name={name} viewable={viewable} onOpen={onOpen} onSave={onSave} />
      )}
    </div>
  );
}

/** How far a download is, and what can be done with it. */
function DownloadProgress({
  transfer,
  name,
  viewable,
  onOpen,
  onSave,
}: {
  transfer: TransferView;
  name: string;
  viewable: boolean;
  onOpen(): void;
  onSave(): void;
}) {
  const { t } = useLingui();
  const engine = useEngine();
  const words = useWords();
  const errorText = useErrorText();
  const format = useFormat();
  const call = (command: "pause_transfer" | "resume_transfer" | "cancel_transfer") =>
    void engine.call(command, { transfer: transfer.transfer }).catch((error) => toast({ text: errorText(error) }));
  const done = format.number(percent(transfer.done, transfer.size));
  const states: Record<TransferView["state"], string> = {
    preparing: `${done}%`,
    running: [`${done}%`, speedText(transfer.bytes_per_second, format.language)].filter(Boolean).join(" · "),
    paused: t`Paused at ${done}%`,
    waiting: t`Waits for the connection`,
    failed: words.failure(transfer.failure),
    needs_file: "",
    done: t`Ready on this device`,
  };
  const runs = transfer.state === "running" || transfer.state === "preparing" || transfer.state === "waiting";
  return (
    <div className="flex items-center gap-1 px-1 pt-1">
      <div className="min-w-0 flex-1">
        {transfer.state !== "done" && (
          <Progress
            label={t`Fetching ${name}`}
            value={percent(transfer.done, transfer.size) / 100}
            tone={transfer.state === "failed" ? "danger" : runs ? "brand" : "muted"}
          />
        )}
        <p className="text-xs tabular-nums">{states[transfer.state]}</p>
      </div>
      {runs && <IconButton icon={Pause} size="small" label={t`Pause ${name}`} onPress={() => call("pause_transfer")} />}
      {transfer.state === "paused" && (
        <IconButton icon={Play} size="small" label={t`Resume ${name}`} onPress={() => call("resume_transfer")} />
      )}
      {transfer.state === "failed" && (
        // What has arrived already is kept.
        <IconButton icon={RotateCcw} size="small" label={t`Try ${name} again`} onPress={viewable ? onOpen : onSave} />
      )}
      {transfer.state === "done" && (
        <IconButton icon={Download} size="small" label={t`Save ${name}`} onPress={onSave} />
      )}
      <IconButton icon={X} size="small" label={t`Cancel ${name}`} onPress={() => call("cancel_transfer")} />
    </div>
  );
}
