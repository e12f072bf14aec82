import { Plural, Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView, LineView, MemberView, TransferView } from "@pakawaaz/api/protocol";
import { Button, EmptyState, Skeleton, toast } from "@pakawaaz/ui";
import { ArrowDown, ArrowUp, MessageCircleMore } from "lucide-react";
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { useAnnounce } from "../app/announcer.tsx";
import { useEngine, useSubscription } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { jumpDone, useJump } from "./jump";
import { focusWhenDrawn } from "./logic/row-focus";
import { nextFocusable, type Row, rowOfMessage, rowsOf } from "./logic/rows";
import { dayLabel } from "./logic/times";
import { atEnd, type Place, STEP_LINES, WINDOW_LINES, wanted } from "./logic/window";
import { Message, type RowActions } from "./parts/message";
import { SystemLineView } from "./parts/system-line";
import { useDisplayed } from "./use-displayed";
import { useWords, type WhoIs } from "./words";

export interface TimelineProps {
  conversation: ConversationView;
  members: MemberView[];
  whoIs: WhoIs;
  me: string | null;
  readOnly: boolean;
  /** Downloads by message. */
  downloads: Map<string, TransferView>;
  actions: RowActions;
  /** Set by the timeline, called by the page after something was sent. */
  toNewest: { current: () => void };
  /** Kept by the timeline: the last message of one's own that can be edited. */
  lastMine: { current: LineView | null };
  onKey(line: LineView, key: string, anchor: Element): boolean;
  onLeave(): void;
}

const MARK_MS = 1_800;
/** After this a message that was asked for is held not to be on this device. */
const ABSENT_MS = 3_000;
const NO_LINES: LineView[] = [];

export function Timeline(props: TimelineProps) {
  const { conversation, members, whoIs, me, readOnly, downloads, actions, toNewest, lastMine, onKey, onLeave } = props;
  const { group } = conversation;
  const { t } = useLingui();
  const engine = useEngine();
  const format = useFormat();
  const { snapshot, id } = useSubscription("timeline", { group, limit: WINDOW_LINES });
  const target = useMemo(() => rowsOf(snapshot?.lines ?? NO_LINES, snapshot?.unread_from ?? null), [snapshot]);
  const { rows, shift, generation, settled } = useDisplayed(target);
  const has = { older: snapshot?.older ?? false, newer: snapshot?.newer ?? false };

  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const stick = useRef(false);
  const lastOffset = useRef(0);
  const asked = useRef<unknown>(null);
  /** Whether the first window has been scrolled to its place. */
  const opened = useRef(false);
  /** What the engine was asked to bring into the window, to be scrolled to when it is there. */
  const pending = useRef<{ message: string } | "newest" | null>(null);
  const [away, setAway] = useState(false);
  const [unreadAbove, setUnreadAbove] = useState(false);
  const [marked, setMarked] = useState<string | null>(null);
  const [active, setActive] = useState<string | null>(null);
  const endFocus = useRef<() => void>(() => {});
  useEffect(
    () => () => {
      endFocus.current();
      pending.current = null;
    },
    [],
  );

  const place = useCallback((): Place | null => {
    const handle = list.current;
    return handle && handle.viewportSize > 0
      ? { offset: handle.scrollOffset, viewport: handle.viewportSize, content: handle.scrollSize }
      : null;
  }, []);

  const move = useCallback(
    (to: { older: number } | { newer: number } | { message: string } | { newest: true }) => {
      const subscription = id();
      if (subscription === undefined) return;
      engine.call("window", { subscription, to }).catch(() => {
        asked.current = null;
      });
    },
    [engine, id],
  );

  const scrollToEnd = useCallback(() => {
    stick.current = true;
    if (rows.length > 0) list.current?.scrollToIndex(rows.length - 1, { align: "end" });
  }, [rows.length]);

  const readUpTo = useMarkRead(conversation);

  /** Looks where the reader is: asks for lines, shows or hides the buttons, tells the engine what was read. */
  const look = useCallback(() => {
    const at = place();
    if (!at || !snapshot || !settled) return;
    const end = atEnd(at) && !snapshot.newer;
    if (end) stick.current = true;
    else if (at.offset < lastOffset.current - 1) stick.current = false;
    lastOffset.current = at.offset;
    setAway(!end && !(stick.current && !snapshot.newer));
    const unreadRow = rows.findIndex((row) => row.kind === "unread");
    const handle = list.current as VirtualizerHandle;
    setUnreadAbove(unreadRow >= 0 && handle.getItemOffset(unreadRow) < at.offset - 8 && conversation.unread > 0);
    const direction = wanted(at, snapshot);
    if (direction && asked.current !== snapshot) {
      asked.current = snapshot;
      move(direction === "older" ? { older: STEP_LINES } : { newer: STEP_LINES });
    }
    if (conversation.unread > 0 && document.visibilityState === "visible" && document.hasFocus()) {
      const bottom = Math.min(rows.length - 1, handle.findItemIndex(at.offset + at.viewport - 12));
      for (let i = end ? rows.length - 1 : bottom; i >= 0; i--) {
        const row = rows[i];
        if ((row?.kind !== "message" && row?.kind !== "system") || row.line.seq === null) continue;
        readUpTo(row.line.seq);
        break;
      }
    }
  }, [conversation.unread, move, place, readUpTo, rows, settled, snapshot]);

  // A window that has nothing in common with the one before: first opening, or a jump.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new generation decides where to scroll
  useLayoutEffect(() => {
    if (rows.length === 0 || pending.current !== null) return;
    const unread = opened.current ? -1 : rows.findIndex((row) => row.kind === "unread");
    opened.current = true;
    if (unread > 0) list.current?.scrollToIndex(unread, { align: "start", offset: -56 });
    else scrollToEnd();
  }, [generation, rows.length === 0]);

  // Lines came or went: go where somebody asked to go, or stay at the newest if the reader was there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for every change of the rows
  useLayoutEffect(() => {
    const to = pending.current;
    if (to === null) {
      if (stick.current && !has.newer) scrollToEnd();
    } else if (settled && to === "newest" && !has.newer) {
      pending.current = null;
      scrollToEnd();
    } else if (settled && to !== "newest" && show(to.message)) pending.current = null;
  }, [rows, settled]);

  useEffect(() => {
    // The list knows its size some frames after it was drawn first, and says so to nobody.
    const attempt = () => {
      if (place()) look();
      else frame = requestAnimationFrame(attempt);
    };
    let frame = requestAnimationFrame(attempt);
    return () => cancelAnimationFrame(frame);
  }, [look, place]);

  useEffect(() => {
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [look]);

  /** Scrolls to a message in the window and marks it; false when it is not there. */
  const show = (message: string): boolean => {
    const row = rowOfMessage(rows, message);
    const found = rows[row];
    if (!found) return false;
    stick.current = false;
    list.current?.scrollToIndex(row, { align: "center" });
    setMarked(found.key);
    focusRow(found.key);
    return true;
  };
  const goTo = useRef<(message: string) => void>(() => {});
  goTo.current = (message) => {
    if (show(message)) return;
    opened.current = true;
    stick.current = false;
    const asked = { message };
    pending.current = asked;
    move(asked);
    setTimeout(() => {
      if (pending.current !== asked) return;
      pending.current = null;
      toast({ text: t`This message is not on this device.` });
    }, ABSENT_MS);
  };
  useEffect(() => {
    if (marked === null) return;
    const timer = setTimeout(() => setMarked(null), MARK_MS);
    return () => clearTimeout(timer);
  }, [marked]);

  const jump = useJump(group);
  useEffect(() => {
    if (!jump || !snapshot) return;
    jumpDone(jump);
    goTo.current(jump.message);
  }, [jump, snapshot]);

  const newest = () => {
    if (has.newer) {
      pending.current = "newest";
      move({ newest: true });
    } else scrollToEnd();
  };
  useEffect(() => {
    toNewest.current = newest;
    lastMine.current = has.newer
      ? null
      : (snapshot?.lines.findLast(
          (line) => line.mine && !line.deleted && line.text !== "" && !line.file && line.seq !== null,
        ) ?? null);
  });

  const rowActions = useMemo<RowActions>(() => ({ ...actions, goTo: (message) => goTo.current(message) }), [actions]);

  const focusRow = (key: string) => {
    // The active row is always drawn, wherever the list stands.
    setActive(key);
    endFocus.current();
    const list = scroller.current;
    if (list) {
      endFocus.current = focusWhenDrawn(list, () => list.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`));
    }
  };

  const activeIndex = useMemo(() => {
    const found = active === null ? -1 : rows.findIndex((row) => row.key === active);
    return found >= 0 ? found : nextFocusable(rows, rows.length, -1);
  }, [active, rows]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
    if (event.target !== row || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = rows.findIndex((each) => each.key === row.dataset.row);
    const to = rowForKey(rows, event.key, index);
    if (to !== null) {
      event.preventDefault();
      const next = rows[to];
      if (!next) return;
      list.current?.scrollToIndex(to, { align: "nearest" });
      focusRow(next.key);
      return;
    }
    if (event.key === "Escape") {
      event.preventDefault();
      onLeave();
      return;
    }
    const line = lineOf(rows[index]);
    if (line && onKey(line, event.key, row)) event.preventDefault();
  };

  useAnnouncements(snapshot?.lines, has.newer, whoIs);

  if (!snapshot) return <TimelineSkeleton label={t`Loading messages`} />;
  return (
    <div
      className="relative min-h-0 flex-1"
      onWheel={(event) => {
        // The buttons float over the messages: what turns there is meant for the messages.
        if (!scroller.current?.contains(event.target as Node)) scroller.current?.scrollBy(0, event.deltaY);
      }}
    >
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={t`Messages`}
        onKeyDown={onKeyDown}
        className="flex size-full flex-col overflow-x-hidden overflow-y-auto overscroll-contain pb-2 [overflow-anchor:none]"
      >
        <div className="grow" />
        {rows.length === 0 && (
          <EmptyState icon={MessageCircleMore} title={t`No messages yet`}>
            <Trans>What you write here is encrypted on this device and can be read only by the members.</Trans>
          </EmptyState>
        )}
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={shift}
          bufferSize={600}
          keepMounted={activeIndex >= 0 ? [activeIndex] : []}
          onScroll={look}
          onResize={() => {
            if (stick.current && !has.newer) scrollToEnd();
          }}
        >
          {(row) => {
            const reachable = row === rows[activeIndex];
            switch (row.kind) {
              case "day":
                return (
                  <div key={row.key} className="flex justify-center py-3">
                    <span className="rounded-full border border-line bg-surface px-3 py-0.5 text-sm text-muted">
                      {dayLabel(row.at, Date.now(), format.language)}
                    </span>
                  </div>
                );
              case "unread":
                return (
                  <div key={row.key} className="flex items-center gap-3 px-4 py-3 text-sm font-semibold text-brand-ink">
                    <span className="h-px flex-1 bg-brand" />
                    <Trans>New messages</Trans>
                    <span className="h-px flex-1 bg-brand" />
                  </div>
                );
              case "system":
                return <SystemLineView key={row.key} line={row.line} whoIs={whoIs} reachable={reachable} />;
              case "message":
                return (
                  <Message
                    key={row.key}
                    line={row.line}
                    first={row.first}
                    last={row.last}
                    direct={conversation.direct}
                    me={me}
                    readOnly={readOnly}
                    highlighted={row.key === marked}
                    reachable={reachable}
                    members={members}
                    whoIs={whoIs}
                    transfer={(row.line.message && downloads.get(row.line.message)) || null}
                    actions={rowActions}
                  />
                );
            }
          }}
        </Virtualizer>
      </div>
      {unreadAbove && (
        <Button
          size="small"
          icon={ArrowUp}
          className="absolute inset-x-0 top-2 mx-auto w-fit rounded-full shadow-overlay"
          onPress={() => {
            const unread = rows.findIndex((row) => row.kind === "unread");
            stick.current = false;
            list.current?.scrollToIndex(unread, { align: "start", offset: -56 });
          }}
        >
          <Trans>First unread message</Trans>
        </Button>
      )}
      {away && (
        <Button
          size="small"
          icon={ArrowDown}
          className="absolute end-4 bottom-3 rounded-full shadow-overlay"
          onPress={newest}
        >
          {conversation.unread > 0 ? (
            <Plural value={conversation.unread} one="# new message" other="# new messages" />
          ) : (
            <Trans>Newest</Trans>
          )}
        </Button>
      )}
    </div>
  );
}

/** The row that a key moves to; null for other keys. */
function rowForKey(rows: Row[], key: string, from: number): number | null {
  switch (key) {
    case "ArrowUp":
    case "k":
      return nextFocusable(rows, from, -1);
    case "ArrowDown":
    case "j":
      return nextFocusable(rows, from, 1);
    case "Home":
      return nextFocusable(rows, -1, 1);
    case "End":
      return nextFocusable(rows, rows.length, -1);
    default:
      return null;
  }
}

function lineOf(row: Row | undefined): LineView | null {
  return row?.kind === "message" ? row.line : null;
}

/** Says once, and never backwards, how far the reader came. */
function useMarkRead(conversation: ConversationView) {
  const engine = useEngine();
  const sent = useRef(-1);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const report = useRef<(seq: number) => void>(() => {});
  report.current = (seq) => {
    if (seq <= sent.current || (conversation.first_unread !== null && seq < conversation.first_unread)) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = seq;
      engine.call("mark_read", { group: conversation.group, up_to: seq }).catch(() => {
        sent.current = -1;
      });
    }, 250);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback((seq: number) => report.current(seq), []);
}

/** New lines of others are read out; several at once as their number. */
function useAnnouncements(lines: LineView[] | undefined, newer: boolean, whoIs: WhoIs) {
  const announce = useAnnounce();
  const words = useWords();
  const { t } = useLingui();
  const known = useRef<number | null>(null);
  const waiting = useRef<LineView[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (!lines || newer) return;
    const last = lines.reduce((most, line) => Math.max(most, line.seq ?? -1), -1);
    const before = known.current;
    known.current = Math.max(before ?? -1, last);
    if (before === null) return;
    waiting.current.push(...lines.filter((line) => !line.mine && line.seq !== null && line.seq > before));
    if (waiting.current.length === 0) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const [first, ...more] = waiting.current;
      waiting.current = [];
      if (!first) return;
      const count = more.length + 1;
      announce(
        more.length > 0 ? t`${count} new messages` : `${words.person(first.author_name)}: ${words.gist(first, whoIs)}`,
      );
    }, 700);
  }, [lines, newer, announce, words, whoIs, t]);
  useEffect(() => () => clearTimeout(timer.current), []);
}

function TimelineSkeleton({ label }: { label: string }) {
  return (
    <div
      role="status"
      aria-label={label}
      className="flex min-h-0 flex-1 flex-col justify-end gap-3 overflow-hidden p-4"
    >
      {["w-56", "w-72 self-end", "w-40", "w-64", "w-48 self-end", "w-60"].map((shape) => (
        <Skeleton key={shape} className={`h-12 max-w-[80%] rounded-bubble ${shape}`} />
      ))}
    </div>
  );
}
