import { Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView } from "@pakawaaz/api/protocol";
import { Avatar, cx, Tick } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { AtSign, BellOff, CircleAlert, Hourglass, Pin, ShieldAlert } from "lucide-react";
import { memo, type ReactNode } from "react";
import { useFormat } from "../../app/i18n.tsx";
import { useConversationName, useFaceOf, useWriting } from "../hooks";
import { oneLine } from "../logic/text";
import { listTime } from "../logic/times";
import { useWords } from "../words";
import { UserText } from "./user-text";

/** A conversation in the list. */
export const ConversationRow = memo(function ConversationRow({
  conversation,
  selected,
}: {
  conversation: ConversationView;
  selected: boolean;
}) {
  const { t } = useLingui();
  const words = useWords();
  const format = useFormat();
  const nameOf = useConversationName();
  const faceOf = useFaceOf();
  const writing = useWriting()(conversation.group);
  const name = nameOf(conversation);
  const { last } = conversation;
  const count = conversation.unread > 99 ? "99+" : format.number(conversation.unread);
  return (
    <Link
      to="/c/$group"
      params={{ group: conversation.group }}
      data-conversation={conversation.group}
      aria-current={selected ? "page" : undefined}
      className={cx(
        "flex min-h-18 items-center gap-3 rounded-control px-3 py-2 text-ink no-underline outline-offset-[-2px]",
        selected ? "bg-brand-soft" : "hover:bg-hover",
      )}
    >
      <Avatar id={faceOf(conversation)} name={name} group={!conversation.direct} />
      <div className="min-w-0 flex-1">
        <div className="flex items-baseline gap-2">
          <UserText
            block
            className={cx(
              "min-w-0 flex-1 truncate leading-snug urdu:leading-[1.9]",
              conversation.unread > 0 ? "font-semibold" : "font-medium",
            )}
          >
            {name}
          </UserText>
          <Mark show={conversation.muted} label={t`Muted`} icon={<BellOff size={14} aria-hidden />} />
          <Mark show={conversation.pinned} label={t`Pinned`} icon={<Pin size={14} aria-hidden />} />
          {last && (
            <time
              dateTime={new Date(conversation.updated_at).toISOString()}
              className={cx(
                "shrink-0 text-xs tabular-nums",
                conversation.unread > 0 && !conversation.muted ? "font-semibold text-brand-ink" : "text-muted",
              )}
            >
              {listTime(conversation.updated_at, Date.now(), format.language)}
            </time>
          )}
        </div>
        <div className="flex items-center gap-1.5 text-sm text-muted">
          <div className="flex min-w-0 flex-1 items-center gap-1">
            <Gist conversation={conversation} writing={writing} selected={selected} words={words} />
          </div>
          <Mark
            show={conversation.alarms > 0}
            label={t`Could not be verified`}
            icon={<ShieldAlert size={17} aria-hidden className="text-warn-ink" />}
          />
          <Mark
            show={conversation.held_back}
            label={t`Messages held back`}
            icon={<Hourglass size={16} aria-hidden className="text-warn-ink" />}
          />
          <Mark
            show={conversation.failed > 0}
            label={t`A message was not sent`}
            icon={<CircleAlert size={17} aria-hidden className="text-danger-ink" />}
          />
          {conversation.mentions > 0 && (
            <span className="grid size-5.5 shrink-0 place-items-center rounded-full bg-brand text-on-brand">
              <AtSign size={14} aria-hidden />
              <span className="sr-only">
                <Trans>You were mentioned</Trans>
              </span>
            </span>
          )}
          {conversation.unread > 0 && (
            <span
              className={cx(
                "min-w-5.5 shrink-0 rounded-full px-1.5 text-center text-xs leading-5.5 font-semibold tabular-nums",
                conversation.muted ? "bg-sunken text-ink" : "bg-brand text-on-brand",
              )}
            >
              <span aria-hidden>{count}</span>
              <span className="sr-only">{t`${count} unread`}</span>
            </span>
          )}
        </div>
      </div>
    </Link>
  );
});

function Mark({ show, label, icon }: { show: boolean; label: string; icon: ReactNode }) {
  if (!show) return null;
  return (
    <span className="shrink-0 self-center text-muted" title={label}>
      {icon}
      <span className="sr-only">{label}</span>
    </span>
  );
}

function Gist({
  conversation,
  writing,
  selected,
  words,
}: {
  conversation: ConversationView;
  writing: string;
  selected: boolean;
  words: ReturnType<typeof useWords>;
}) {
  const { last, draft } = conversation;
  if (writing) return <span className="truncate text-brand-ink">{writing}</span>;
  if (draft && !selected) {
    return (
      <>
        <span className="shrink-0 font-medium text-brand-ink">
          <Trans>Draft:</Trans>
        </span>
        <UserText block className="min-w-0 truncate">
          {oneLine(draft)}
        </UserText>
      </>
    );
  }
  if (conversation.left) {
    return (
      <span className="truncate italic">
        <Trans>You are no longer in it</Trans>
      </span>
    );
  }
  if (!last) {
    return (
      <span className="truncate italic">
        <Trans>Nothing written yet</Trans>
      </span>
    );
  }
  const text = words.gist(last);
  return (
    <>
      {last.mine && last.status && <Tick state={last.status} label={words.status[last.status]} />}
      {!last.mine && !conversation.direct && !last.system && (
        <UserText className="max-w-[40%] shrink-0 truncate">{`${words.person(last.author_name)}:`}</UserText>
      )}
      <UserText block className={cx("min-w-0 truncate", last.deleted && "italic")}>
        {text}
      </UserText>
    </>
  );
}
