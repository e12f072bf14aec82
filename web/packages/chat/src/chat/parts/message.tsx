import { Trans, useLingui } from "@lingui/react/macro";
import type { LineView, TransferView } from "@pakawaaz/api/protocol";
import { Avatar, cx, Tick } from "@pakawaaz/ui";
import { Ban, ChevronDown, RotateCcw, Trash2 } from "lucide-react";
import { memo, type ReactNode, useMemo, useRef } from "react";
import { Button } from "react-aria-components";
import { useFormat } from "../../app/i18n.tsx";
import { FileBubble } from "../../files/file-bubble";
import type { MentionName } from "../logic/text";
import { useWords, type WhoIs } from "../words";
import { MessageText } from "./message-text";
import { Quote } from "./quote";
import { Reactions } from "./reactions";
import { UserText } from "./user-text";

/** What rows tell their page. Stable for the life of the page, so that rows are drawn again only when their line changes. */
export interface RowActions {
  openMenu(line: LineView, anchor: Element): void;
  react(line: LineView, emoji: string, remove: boolean): void;
  goTo(message: string): void;
  openLink(url: string): void;
  openFile(line: LineView): void;
  saveFile(line: LineView): void;
  retry(line: LineView): void;
  discard(line: LineView): void;
}

export interface MessageProps {
  line: LineView;
  first: boolean;
  last: boolean;
  direct: boolean;
  me: string | null;
  readOnly: boolean;
  highlighted: boolean;
  /** Whether this is the row that Tab reaches. */
  reachable: boolean;
  members: MentionName[];
  whoIs: WhoIs;
  transfer: TransferView | null;
  actions: RowActions;
}

const LONG_PRESS_MS = 480;

/** One message. A newcomer to its group of lines shows who wrote it; the last of the group has the pointed corner. */
export const Message = memo(function Message(props: MessageProps) {
  const { line, first, last, direct, me, readOnly, highlighted, reachable, members, whoIs, transfer, actions } = props;
  const { t } = useLingui();
  const words = useWords();
  const format = useFormat();
  const bubble = useRef<HTMLDivElement>(null);
  const mentioned = useMemo(
    () => members.filter((member) => line.mentions.includes(member.official)),
    [members, line.mentions],
  );
  const author = words.person(line.author_name);
  const mine = line.mine;
  const menu = () => bubble.current && actions.openMenu(line, bubble.current);
  const press = useLongPress(menu);

  const spoken = [
    mine ? t`You` : author,
    format.time(line.at),
    words.gist(line, whoIs),
    line.edited && !line.deleted ? t`Edited` : "",
    line.status ? words.status[line.status] : "",
    line.failure ? words.failure(line.failure) : "",
  ]
    .filter(Boolean)
    .join(". ");

  return (
    <article
      {...press}
      aria-label={spoken}
      data-row={line.key}
      tabIndex={reachable ? 0 : -1}
      className={cx(
        "group/row flex items-end gap-2 px-3 outline-offset-[-2px] sm:px-5",
        first ? "pt-2.5" : "pt-0.5",
        mine ? "justify-end ps-12 sm:ps-24" : "pe-10 sm:pe-24",
        highlighted && "animate-mark",
      )}
    >
      {!mine && !direct && (
        <span className="w-8 shrink-0">
          {last && <Avatar id={line.author ?? line.key} name={author} size="small" />}
        </span>
      )}
      <div className={cx("flex min-w-0 max-w-[min(100%,36rem)] flex-col", mine ? "items-end" : "items-start")}>
        <div
          ref={bubble}
          className={cx(
            "relative max-w-full min-w-16 rounded-bubble px-3 py-1.5 text-[0.9375rem] shadow-raised",
            mine ? "bg-mine text-on-mine" : "bg-theirs text-ink",
            last && (mine ? "rounded-ee-md" : "rounded-es-md"),
            line.status === "failed" && "ring-1 ring-danger",
          )}
        >
          {first && !mine && !direct && (
            <UserText block className="truncate text-sm font-semibold text-brand-ink">
              {author}
            </UserText>
          )}
          {line.reply && !line.deleted && <Quote reply={line.reply} onGo={actions.goTo} />}
          {line.deleted ? (
            <Aside icon={<Ban size={15} aria-hidden />}>
              <Trans>Message deleted</Trans>
            </Aside>
          ) : (
            <>
              {line.file && (
                <FileBubble
                  file={line.file}
                  transfer={transfer}
                  mine={mine}
                  onOpen={() => actions.openFile(line)}
                  onSave={() => actions.saveFile(line)}
                />
              )}
              {line.text && <MessageText text={line.text} mentioned={mentioned} me={me} onLink={actions.openLink} />}
            </>
          )}
          <span
            className={cx(
              "mt-0.5 flex items-center justify-end gap-1 text-xs leading-4 select-none",
              mine ? "text-mine-muted" : "text-muted",
            )}
          >
            {line.edited && !line.deleted && (
              <span>
                <Trans>Edited</Trans>
              </span>
            )}
            <time dateTime={new Date(line.at).toISOString()} title={format.dateTime(line.at)} className="tabular-nums">
              {format.time(line.at)}
            </time>
            {line.status && (
              <span title={words.status[line.status]} className="inline-flex">
                <Tick state={line.status} label={words.status[line.status]} />
              </span>
            )}
          </span>
          {!line.deleted && line.message && (
            <Button
              aria-label={t`Message actions`}
              excludeFromTabOrder
              onPress={menu}
              // Beside the bubble, in the room that the row leaves free: it must cover no word.
              className={cx(
                "absolute top-1 hidden size-7 place-items-center rounded-full border border-line bg-raised text-ink opacity-0 shadow-raised",
                "group-hover/row:opacity-100 group-focus-within/row:opacity-100 pointer-fine:grid",
                mine ? "end-full me-1" : "start-full ms-1",
              )}
            >
              <ChevronDown size={16} aria-hidden />
            </Button>
          )}
        </div>
        <Reactions
          line={line}
          whoIs={whoIs}
          disabled={readOnly}
          onReact={(emoji, remove) => actions.react(line, emoji, remove)}
        />
        {line.status === "failed" && (
          <div className="mt-1 flex flex-wrap items-center justify-end gap-x-3 gap-y-1 text-sm text-danger-ink">
            <span>{words.failure(line.failure)}</span>
            <span className="flex gap-1">
              <Button
                className="inline-flex min-h-9 items-center gap-1 rounded px-2 font-medium hover:bg-danger-soft"
                onPress={() => actions.retry(line)}
              >
                <RotateCcw size={15} aria-hidden />
                <Trans>Send again</Trans>
              </Button>
              <Button
                className="inline-flex min-h-9 items-center gap-1 rounded px-2 font-medium hover:bg-danger-soft"
                onPress={() => actions.discard(line)}
              >
                <Trash2 size={15} aria-hidden />
                <Trans>Discard</Trans>
              </Button>
            </span>
          </div>
        )}
      </div>
    </article>
  );
});

function Aside({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <p className="flex items-center gap-1.5 italic opacity-80">
      {icon}
      {children}
    </p>
  );
}

/** The menu of a message on touch screens: hold it. A pointer with buttons uses the right one. */
function useLongPress(open: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown: (event: { pointerType: string }) => {
      if (event.pointerType !== "mouse") timer.current = setTimeout(open, LONG_PRESS_MS);
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onPointerMove: (event: { movementX: number; movementY: number }) => {
      if (Math.abs(event.movementX) + Math.abs(event.movementY) > 4) stop();
    },
    onContextMenu: (event: { preventDefault(): void; target: EventTarget }) => {
      // Selected text keeps the browser's own menu: it can be copied there.
      if (getSelection()?.toString()) return;
      event.preventDefault();
      stop();
      open();
    },
  };
}
