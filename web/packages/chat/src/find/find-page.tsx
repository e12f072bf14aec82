import { Trans, useLingui } from "@lingui/react/macro";
import { Button, EmptyState, ErrorState, SearchField, Tabs, TopBar } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { SearchX, UserRoundSearch, WifiOff } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { asEngineError, useTopic } from "../app/engine.tsx";
import { useErrorText } from "../app/errors.tsx";
import { OfficialRow, OfficialSkeleton } from "./official-row";
import { OrganisationTree } from "./organisation-tree";
import { useFind } from "./use-find";

/** The directory: by name, post or organisation, or by going down the organisation. */
export function FindPage() {
  const { t } = useLingui();
  const [text, setText] = useState("");
  const [tab, setTab] = useState("search");
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      <TopBar title={t`Find`} />
      <div className="mx-auto flex min-h-0 w-full max-w-3xl flex-1 flex-col overflow-y-auto px-3 pt-3 pb-8">
        <Tabs
          label={t`Ways to find somebody`}
          selected={tab}
          onSelect={setTab}
          tabs={[
            {
              id: "search",
              label: t`Search`,
              content: (
                <>
                  <SearchField
                    autoFocus
                    label={t`Name, post or organisation`}
                    clearLabel={t`Clear`}
                    value={text}
                    onChange={setText}
                  />
                  <Results text={text} />
                </>
              ),
            },
            { id: "organisation", label: t`Organisation`, content: <OrganisationTree /> },
          ]}
        />
      </div>
    </div>
  );
}

function Results({ text }: { text: string }) {
  const { t } = useLingui();
  const found = useFind(text);
  if (found.state === "idle") {
    return (
      <EmptyState icon={UserRoundSearch} title={t`Whom are you looking for?`}>
        <Trans>Type two letters or more, in English or Urdu.</Trans>
      </EmptyState>
    );
  }
  if (found.error && found.officials.length === 0) return <FindError error={found.error} onAgain={found.again} />;
  return (
    <div className="pt-2" aria-busy={found.state === "running"}>
      <ul aria-label={t`Officials`}>
        {found.officials.map((official) => (
          <li key={official.official}>
            <Link
              to="/official/$id"
              params={{ id: official.official }}
              className="block rounded-control text-ink no-underline outline-offset-[-2px] hover:bg-hover"
            >
              <OfficialRow official={official} />
            </Link>
          </li>
        ))}
      </ul>
      {found.state === "running" && found.officials.length === 0 && (
        <div role="status" aria-label={t`Searching`}>
          <OfficialSkeleton />
          <OfficialSkeleton />
          <OfficialSkeleton />
        </div>
      )}
      {found.state === "done" && found.officials.length === 0 && (
        <EmptyState icon={SearchX} title={t`Nobody found`}>
          <Trans>Try another spelling or the other language, or look in the organisation.</Trans>
        </EmptyState>
      )}
      {found.next !== null && (
        <Button wide kind="quiet" onPress={found.more}>
          <Trans>More</Trans>
        </Button>
      )}
    </div>
  );
}

/** Until a request is made again that failed although there is a connection, in milliseconds. */
const AGAIN = 3_000;
/** What passes by itself; an answer that says when to come again does as well. */
const PASSING = ["client.unreachable", "client.connection_broken", "client.timed_out", "engine.restarted"];

/**
 * The directory lives on the server: without a connection it cannot be searched. What was asked for is asked again when
 * the connection is there, and as long as the reason is one that passes.
 */
export function FindError({ error, onAgain }: { error: unknown; onAgain(): void }) {
  const { t } = useLingui();
  const errorText = useErrorText();
  const connection = useTopic("app", {})?.connection;
  const offline = connection === "offline";
  const again = useRef(onAgain);
  again.current = onAgain;
  const before = useRef(connection);
  useEffect(() => {
    const came = connection === "online" && before.current !== "online";
    before.current = connection;
    if (came) return again.current();
    const { code, retry_after_ms } = asEngineError(error);
    if (connection !== "online" || (retry_after_ms === null && !PASSING.includes(code))) return;
    const timer = setTimeout(() => again.current(), Math.max(AGAIN, retry_after_ms ?? 0));
    return () => clearTimeout(timer);
  }, [connection, error]);
  return (
    <ErrorState
      icon={offline ? WifiOff : undefined}
      title={t`The directory could not be reached`}
      action={<Button onPress={onAgain}>{t`Try again`}</Button>}
    >
      {offline ? (
        <Trans>There is no connection to the server. Conversations that you have already can still be read.</Trans>
      ) : (
        errorText(error)
      )}
    </ErrorState>
  );
}
