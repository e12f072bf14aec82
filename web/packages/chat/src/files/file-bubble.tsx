import { Trans, useLingui } from "@lingui/react/macro";
import type { FileView, TransferView } from "@pakawaaz/api/protocol";
import { cx, IconButton, Progress } from "@pakawaaz/ui";
import {
  Download,
  FileArchive,
  FileAudio,
  FileImage,
  FileText,
  FileVideo,
  type LucideIcon,
  Play,
  RotateCcw,
  X,
} from "lucide-react";
import { Button } from "react-aria-components";
import { useFormat } from "../app/i18n.tsx";
import { harmlessName } from "../chat/logic/text";
import { UserText } from "../chat/parts/user-text";
import { useWords } from "../chat/words";
import { bubbleBox } from "./logic/fit";
import { canView, type FileKind, kindOf, typeLabel } from "./logic/kinds";
import { durationText, percent } from "./logic/sizes";
import { Thumbnail } from "./thumbnail";

const ICONS: Record<FileKind, LucideIcon> = {
  image: FileImage,
  video: FileVideo,
  audio: FileAudio,
  text: FileText,
  other: FileArchive,
};

export interface TransferActions {
  cancel(transfer: string): void;
}

export interface FileBubbleProps {
  file: FileView;
  /** The download under way, if there is one. */
  transfer: TransferView | null;
  mine: boolean;
  onOpen(): void;
  onSave(): void;
  actions: TransferActions;
}

/** A file in a message: picture or name, size, type; pressing it fetches, checks and shows (or saves) it. */
export function FileBubble({ file, transfer, mine, onOpen, onSave, actions }: FileBubbleProps) {
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
          <DownloadProgress transfer={transfer} actions={actions} name={name} onAgain={viewable ? onOpen : onSave} />
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
        <DownloadProgress transfer={transfer} actions={actions} name={name} onAgain={viewable ? onOpen : onSave} />
      )}
    </div>
  );
}

function DownloadProgress({
  transfer,
  actions,
  name,
  onAgain,
}: {
  transfer: TransferView;
  actions: TransferActions;
  name: string;
  /** Whoever wants the file asks again: what has arrived already is kept. */
  onAgain(): void;
}) {
  const { t } = useLingui();
  const words = useWords();
  const format = useFormat();
  if (transfer.state === "done") return null;
  const stopped = transfer.state === "paused" || transfer.state === "failed";
  return (
    <div className="flex items-center gap-1 px-1 pt-1">
      <div className="min-w-0 flex-1">
        <Progress
          label={t`Fetching ${name}`}
          value={percent(transfer.done, transfer.size) / 100}
          tone={transfer.state === "failed" ? "danger" : stopped ? "muted" : "brand"}
        />
        <p className="text-xs tabular-nums">
          {transfer.state === "failed" ? (
            words.failure(transfer.failure)
          ) : transfer.state === "waiting" ? (
            <Trans>Waits for the connection</Trans>
          ) : (
            `${format.number(percent(transfer.done, transfer.size))}%`
          )}
        </p>
      </div>
      {stopped && <IconButton icon={RotateCcw} size="small" label={t`Resume`} onPress={onAgain} />}
      <IconButton icon={X} size="small" label={t`Cancel`} onPress={() => actions.cancel(transfer.transfer)} />
    </div>
  );
}
