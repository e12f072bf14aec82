import { Plural, Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView } from "@pakawaaz/api/protocol";
import { Button, EmptyState, IconButton, SearchField, Skeleton, TopBar } from "@pakawaaz/ui";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Archive, ChevronDown, MessageSquarePlus, MessagesSquare, SearchX, UserRoundSearch } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTopic } from "../app/engine.tsx";
import { fits } from "../palette/match";
import { useConversationName } from "./hooks";
import { ordered } from "./logic/order";
import { ConversationMenu } from "./parts/conversation-menu";
import { ConversationRow } from "./parts/conversation-row";
import { SearchResults } from "./search-results";

/** All conversations: pinned ones on top, then the newest; archived ones folded away. The field filters names and searches messages. */
export function ConversationList() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const all = useTopic("conversations", {});
  const nameOf = useConversationName();
  const [text, setText] = useState("");
  const [archiveOpen, setArchiveOpen] = useState(false);
  const [menu, setMenu] = useState<{ conversation: ConversationView; anchor: Element } | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const { group: open } = useParams({ strict: false });
  const wanted = text.trim();
  const { current, archived } = useMemo(() => ordered(all ?? []), [all]);
  const found = useMemo(
    () =>
      wanted === ""
        ? []
        : [...current, ...archived].filter(
            (entry) =>
              fits({ label: nameOf(entry), words: entry.names.flatMap((name) => [name.en, name.ur]) }, wanted) > 0,
          ),
    [wanted, current, archived, nameOf],
  );

  /** Arrows, j and k move; Enter is the link's own. */
  const onKeyDown = (event: KeyboardEvent) => {
    const inField = event.target instanceof HTMLInputElement;
    const step =
      event.key === "ArrowDown" || (!inField && event.key === "j")
        ? 1
        : event.key === "ArrowUp" || (!inField && event.key === "k")
          ? -1
          : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("a[data-conversation]") ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const next = rows[at < 0 ? 0 : at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the links inside
    <div className="flex min-h-0 flex-1 flex-col bg-surface" onKeyDown={onKeyDown}>
      <TopBar title={t`Conversations`}>
        <IconButton
          icon={MessageSquarePlus}
          label={t`New conversation`}
          onPress={() => void navigate({ to: "/new" })}
        />
      </TopBar>
      <div className="px-3 py-2" data-search="conversations">
        <SearchField
          label={t`Search conversations and messages`}
          placeholder={t`Search`}
          clearLabel={t`Clear`}
          value={text}
          onChange={setText}
        />
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu key on a focused conversation opens the same menu */}
      <div
        ref={list}
        onContextMenu={(event) => {
          const anchor = (event.target as Element).closest("a[data-conversation]");
          const conversation = all?.find((entry) => entry.group === anchor?.getAttribute("data-conversation"));
          if (!anchor || !conversation) return;
          event.preventDefault();
          setMenu({ conversation, anchor });
        }}
        className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-1 pb-4"
      >
        {!all ? (
          <ListSkeleton label={t`Loading conversations`} />
        ) : wanted !== "" ? (
          <>
            {found.length > 0 && (
              <div>
                <h2 className="px-3 pt-1 pb-1 text-sm font-semibold text-muted">
                  <Trans>Conversations</Trans>
                </h2>
                <Rows rows={found} open={open} />
              </div>
            )}
            <SearchResults text={wanted} conversations={all} nothingElse={found.length === 0} />
          </>
        ) : current.length === 0 && archived.length === 0 ? (
          <NoConversations />
        ) : (
          <>
            <nav aria-label={t`Conversations`}>
              <Rows rows={current} open={open} />
            </nav>
            {archived.length > 0 && (
              <section aria-label={t`Archived conversations`} className="mt-2">
                <AriaButton
                  aria-expanded={archiveOpen}
                  onPress={() => setArchiveOpen(!archiveOpen)}
                  className="flex min-h-11 w-full items-center gap-3 rounded-control px-3 text-muted hover:bg-hover"
                >
                  <Archive size={20} aria-hidden className="mx-3" />
                  <span className="flex-1 text-start">
                    <Plural value={archived.length} one="# archived conversation" other="# archived conversations" />
                  </span>
                  <ChevronDown size={18} aria-hidden className={archiveOpen ? "rotate-180" : ""} />
                </AriaButton>
                {archiveOpen && <Rows rows={archived} open={open} />}
              </section>
            )}
          </>
        )}
      </div>
      <ConversationMenu open={menu} onClose={() => setMenu(null)} />
    </div>
  );
}

function Rows({ rows, open }: { rows: ConversationView[]; open: string | undefined }) {
  return (
    <ul className="flex flex-col gap-0.5">
      {rows.map((conversation) => (
        <li key={conversation.group}>
          <ConversationRow conversation={conversation} selected={conversation.group === open} />
        </li>
      ))}
    </ul>
  );
}

function NoConversations() {
  const { t } = useLingui();
  const navigate = useNavigate();
  return (
    <EmptyState
      icon={MessagesSquare}
      title={t`No conversations yet`}
      action={
        <Button kind="primary" icon={UserRoundSearch} onPress={() => void navigate({ to: "/find" })}>
          <Trans>Find somebody</Trans>
        </Button>
      }
    >
      <Trans>Find an official by name, post or organisation, and write the first message.</Trans>
    </EmptyState>
  );
}

export function NothingFound() {
  const { t } = useLingui();
  return (
    <EmptyState icon={SearchX} title={t`Nothing found`}>
      <Trans>Only what is on this device is searched. Try another word, or another spelling.</Trans>
    </EmptyState>
  );
}

function ListSkeleton({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-1">
      {[0, 1, 2, 3, 4, 5, 6].map((row) => (
        <div key={row} className="flex min-h-16 items-center gap-3 px-3">
          <Skeleton className="size-11 rounded-full" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-4 w-1/2" />
            <Skeleton className="h-3 w-4/5" />
          </div>
        </div>
      ))}
    </div>
  );
}
