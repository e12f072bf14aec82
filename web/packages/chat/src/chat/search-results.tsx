import { Plural, Trans, useLingui } from "@lingui/react/macro";
import type { Commands, ConversationView } from "@pakawaaz/api/protocol";
import { Button, Spinner } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useEngine } from "../app/engine.tsx";
import { useErrorText } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { NothingFound } from "./conversation-list";
import { useConversationName } from "./hooks";
import { jumpTo } from "./jump";
import { excerpt } from "./logic/excerpt";
import { listTime } from "./logic/times";
import { UserText } from "./parts/user-text";
import { useWords } from "./words";

type Hit = Commands["search"][1]["hits"][number];

const PAUSE_MS = 250;
/** Hits after which searching pauses until somebody asks for more. */
const ENOUGH = 40;

interface Search {
  hits: Hit[];
  scanned: number;
  next: string | null;
  state: "running" | "stopped" | "enough" | "done";
  error: unknown;
}
const BEGIN: Search = { hits: [], scanned: 0, next: null, state: "running", error: null };

/** Messages on this device with the text in them: found piece by piece, newest first, and stoppable. */
export function SearchResults({
  text,
  conversations,
  group = null,
  nothingElse,
}: {
  text: string;
  conversations: ConversationView[];
  group?: string | null;
  nothingElse: boolean;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const words = useWords();
  const errorText = useErrorText();
  const nameOf = useConversationName();
  const { search, stop, more } = useSearch(text, group);
  const byGroup = useMemo(() => new Map(conversations.map((entry) => [entry.group, entry])), [conversations]);
  if (text.length < 2) {
    return (
      <p className="px-4 py-3 text-sm text-muted">
        <Trans>Type two letters or more to search messages.</Trans>
      </p>
    );
  }
  if (search.state === "done" && search.hits.length === 0 && !search.error)
    return nothingElse ? <NothingFound /> : null;
  return (
    <section aria-label={t`Messages`}>
      <div className="flex min-h-11 items-center gap-2 px-3">
        <h2 className="flex-1 text-sm font-semibold text-muted">
          <Trans>Messages</Trans>
        </h2>
        <p role="status" className="flex items-center gap-2 text-sm text-muted">
          {search.state === "running" && <Spinner size={16} />}
          <Plural value={search.scanned} one="# searched" other="# searched" />
        </p>
        {search.state === "running" && (
          <Button size="small" kind="quiet" onPress={stop}>
            <Trans>Stop</Trans>
          </Button>
        )}
      </div>
      <ul>
        {search.hits.map(({ group: where, line }) => {
          const conversation = byGroup.get(where);
          const [before, hit, after] = excerpt(line.text || (line.file?.name ?? ""), text);
          return (
            <li key={`${where}${line.key}`}>
              <Link
                to="/c/$group"
                params={{ group: where }}
                data-conversation={where}
                onClick={() => line.message && jumpTo(where, line.message)}
                className="block rounded-control px-3 py-2 text-ink no-underline outline-offset-[-2px] hover:bg-hover"
              >
                <span className="flex items-baseline gap-2">
                  <UserText block className="min-w-0 flex-1 truncate font-medium">
                    {conversation ? nameOf(conversation) : ""}
                  </UserText>
                  <time className="text-xs text-muted tabular-nums">
                    {listTime(line.at, Date.now(), format.language)}
                  </time>
                </span>
                <span className="line-clamp-2 text-sm text-muted">
                  <UserText>{words.person(line.author_name)}</UserText>:{" "}
                  <bdi dir="auto">
                    {before}
                    <mark className="rounded-sm bg-warn-soft font-semibold text-warn-ink">{hit}</mark>
                    {after}
                  </bdi>
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
      {search.error !== null && <p className="px-3 py-2 text-danger-ink">{errorText(search.error)}</p>}
      {(search.state === "stopped" || search.state === "enough") && search.next !== null && (
        <Button size="small" kind="quiet" wide onPress={more}>
          <Trans>Search further back</Trans>
        </Button>
      )}
    </section>
  );
}

function useSearch(text: string, group: string | null) {
  const engine = useEngine();
  const [search, setSearch] = useState<Search>(BEGIN);
  const run = useRef<AbortController | null>(null);
  const go = useCallback(
    async (from: Search) => {
      run.current?.abort();
      const here = new AbortController();
      run.current = here;
      let now: Search = { ...from, state: "running", error: null };
      const found = now.hits.length;
      setSearch(now);
      while (!here.signal.aborted) {
        try {
          const reply = await engine.call("search", { text, group, before: now.next }, { signal: here.signal });
          if (here.signal.aborted) return;
          const hits = [...now.hits, ...reply.hits];
          const state = reply.next === null ? "done" : hits.length - found >= ENOUGH ? "enough" : "running";
          now = { hits, scanned: now.scanned + reply.scanned, next: reply.next, state, error: null };
        } catch (error) {
          if (here.signal.aborted) return;
          now = { ...now, state: "stopped", error };
        }
        setSearch(now);
        if (now.state !== "running") return;
      }
    },
    [engine, text, group],
  );
  useEffect(() => {
    setSearch(BEGIN);
    if (text.length < 2) return;
    const timer = setTimeout(() => void go(BEGIN), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      run.current?.abort();
    };
  }, [go, text]);
  const stop = () => {
    run.current?.abort();
    setSearch((was) => ({ ...was, state: was.next === null ? "done" : "stopped" }));
  };
  return { search, stop, more: () => void go(search) };
}
