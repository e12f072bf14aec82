import { Trans, useLingui } from "@lingui/react/macro";
import type { Commands, Id, LineView } from "@pakawaaz/api/protocol";
import { Avatar, Dialog, Skeleton, Tick, type TickState } from "@pakawaaz/ui";
import { useEffect, useState } from "react";
import { useEngine } from "../../app/engine.tsx";
import { useErrorText } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { useWords, type WhoIs } from "../words";
import { UserText } from "./user-text";

type Info = Commands["message_info"][1];

/** Who has received and read a message, and who reacted. */
export function MessageInfo({
  group,
  line,
  whoIs,
  onClose,
}: {
  group: Id;
  line: LineView | null;
  whoIs: WhoIs;
  onClose(): void;
}) {
  const { t } = useLingui();
  return (
    <Dialog title={t`Message details`} isOpen={line !== null} onClose={onClose} closeLabel={t`Close`}>
      {line?.message && <Inside group={group} line={line} message={line.message} whoIs={whoIs} />}
    </Dialog>
  );
}

function Inside({ group, line, message, whoIs }: { group: Id; line: LineView; message: Id; whoIs: WhoIs }) {
  const { t } = useLingui();
  const engine = useEngine();
  const errorText = useErrorText();
  const format = useFormat();
  const words = useWords();
  const [info, setInfo] = useState<Info | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    engine.call("message_info", { group, message }).then(setInfo, setError);
  }, [engine, group, message]);
  if (error) return <p className="py-4 text-danger-ink">{errorText(error)}</p>;
  if (!info) return <Skeleton className="h-32 w-full" />;
  const delivered = info.delivered.filter((official) => !info.read.includes(official));
  return (
    <div className="flex flex-col gap-4 pb-4">
      <UserText block className="line-clamp-4 rounded-control bg-sunken p-3 break-words">
        {words.gist(line, whoIs)}
      </UserText>
      <p className="text-sm text-muted">
        <Trans>Sent on {format.dateTime(info.sent_at)}</Trans>
      </p>
      <People title={t`Read`} state="read" officials={info.read} whoIs={whoIs} />
      <People title={t`Delivered`} state="delivered" officials={delivered} whoIs={whoIs} />
      <People title={t`Not delivered yet`} state="sent" officials={info.waiting} whoIs={whoIs} />
      {line.reactions.length > 0 && (
        <section>
          <h3 className="mb-1 text-sm font-semibold text-muted">
            <Trans>Reactions</Trans>
          </h3>
          <ul className="flex flex-col gap-1">
            {line.reactions.map((reaction) => (
              <li key={reaction.emoji} className="flex items-center gap-3">
                <span className="text-xl leading-none">{reaction.emoji}</span>
                <span>{format.list(reaction.officials.map((official) => words.person(whoIs(official))))}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function People({
  title,
  state,
  officials,
  whoIs,
}: {
  title: string;
  state: TickState;
  officials: Id[];
  whoIs: WhoIs;
}) {
  const words = useWords();
  if (officials.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 flex items-center gap-2 text-sm font-semibold text-muted">
        <Tick state={state} label="" />
        {title}
      </h3>
      <ul className="flex flex-col">
        {officials.map((official) => (
          <li key={official} className="flex items-center gap-3 py-1">
            <Avatar id={official} name={words.person(whoIs(official))} size="small" />
            <UserText>{words.person(whoIs(official))}</UserText>
          </li>
        ))}
      </ul>
    </section>
  );
}
