import { useLingui } from "@lingui/react/macro";
import { IconButton, Spinner } from "@pakawaaz/ui";
import { FileText, X } from "lucide-react";
import { harmlessName } from "../chat/logic/text";
import { UserText } from "../chat/parts/user-text";
import { useWords } from "../chat/words";
import type { Prepared } from "./prepare";
import { Thumbnail } from "./thumbnail";

/** A file chosen and not sent yet. `prepared` is null while its thumbnail is made. */
export interface Staged {
  id: number;
  file: File;
  prepared: Prepared | null;
}

/** The largest file that the file protocol takes. */
export const LARGEST_FILE = 2 * 1024 ** 3;

/** Files beside the text under way; the text becomes the caption of the first one. */
export function StagedFiles({ staged, onRemove }: { staged: Staged[]; onRemove(id: number): void }) {
  const { t } = useLingui();
  const words = useWords();
  if (staged.length === 0) return null;
  return (
    <ul aria-label={t`Files to send`} className="flex gap-2 overflow-x-auto px-2 pt-2 pb-1">
      {staged.map(({ id, file, prepared }) => {
        const name = harmlessName(file.name);
        return (
          <li
            key={id}
            className="flex w-56 shrink-0 items-center gap-2 rounded-control border border-line bg-sunken p-1.5"
          >
            {!prepared ? (
              <span className="grid size-11 place-items-center">
                <Spinner />
              </span>
            ) : prepared.thumbnail ? (
              <Thumbnail file={prepared} className="size-11 shrink-0 rounded-md" />
            ) : (
              <span className="grid size-11 shrink-0 place-items-center rounded-md bg-brand-soft text-brand-ink">
                <FileText size={20} aria-hidden />
              </span>
            )}
            <span className="min-w-0 flex-1 text-sm">
              <UserText block className="truncate">
                {name}
              </UserText>
              <span className="block text-xs text-muted tabular-nums">{words.size(file.size)}</span>
            </span>
            <IconButton icon={X} size="small" label={t`Remove ${name}`} onPress={() => onRemove(id)} />
          </li>
        );
      })}
    </ul>
  );
}
