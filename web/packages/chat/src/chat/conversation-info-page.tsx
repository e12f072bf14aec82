import { Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView, Id, MemberView, Official } from "@pakawaaz/api/protocol";
import {
  Avatar,
  Badge,
  Banner,
  Button,
  Confirm,
  Dialog,
  EmptyState,
  IconButton,
  Menu,
  MenuItem,
  SearchField,
  Section,
  Skeleton,
  Switch,
  TextField,
  TopBar,
  toast,
} from "@pakawaaz/ui";
import { Link, useNavigate } from "@tanstack/react-router";
import {
  ArrowLeft,
  EllipsisVertical,
  Lock,
  LogOut,
  MessageCircleOff,
  ShieldAlert,
  UserMinus,
  UserPlus,
  UserRound,
} from "lucide-react";
import { useState } from "react";
import { useCommand, useEngine, useTopic } from "../app/engine.tsx";
import { Refusal, useAlarmText, useErrorText } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { DeviceFingerprints } from "../find/device-fingerprints";
import { InvitationRefusal } from "../find/no-device";
import { PeoplePicker } from "../find/people-picker";
import { useOfficial } from "../find/use-find";
import { useConversation, useConversationName, useFaceOf, useMembers } from "./hooks";
import { LONGEST_TITLE } from "./new-conversation-page";
import { UserText } from "./parts/user-text";
import { SearchResults } from "./search-results";

/** Everything about a conversation that is not a message. */
export function ConversationInfoPage({ group }: { group: Id }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const conversation = useConversation(group);
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-page">
      <TopBar
        title={t`Conversation details`}
        back={
          <IconButton
            icon={ArrowLeft}
            label={t`Back to the conversation`}
            onPress={() => void navigate({ to: "/c/$group", params: { group } })}
          />
        }
      />
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-6">
        <div className="mx-auto flex max-w-2xl flex-col gap-6">
          {conversation === undefined ? (
            <Skeleton className="h-40 w-full" />
          ) : conversation === null ? (
            <EmptyState icon={MessageCircleOff} title={t`This conversation is not on this device`} />
          ) : (
            <Details conversation={conversation} />
          )}
        </div>
      </div>
    </div>
  );
}

function Details({ conversation }: { conversation: ConversationView }) {
  const { group } = conversation;
  const { t } = useLingui();
  const nameOf = useConversationName();
  const faceOf = useFaceOf();
  const { members, loaded } = useMembers(group);
  const name = nameOf(conversation);
  return (
    <>
      <header className="flex flex-col items-center gap-2 text-center">
        <Avatar id={faceOf(conversation)} name={name} size="large" group={!conversation.direct} />
        <h2 className="text-2xl font-semibold">
          <UserText>{name}</UserText>
        </h2>
        <p className="flex items-center gap-1.5 text-sm text-muted">
          <Lock size={15} aria-hidden />
          <Trans>End-to-end encrypted</Trans>
        </p>
        {conversation.left && <Badge tone="warn">{t`You are no longer in it`}</Badge>}
      </header>
      <Alarms group={group} />
      {conversation.held_back && (
        <Banner tone="warn" title={t`Messages are held back`}>
          <Trans>
            A device is being removed from this conversation. New messages wait until that is done, so that it cannot
            read them.
          </Trans>
        </Banner>
      )}
      {!conversation.left && !conversation.direct && <Title key={conversation.title} conversation={conversation} />}
      <Members conversation={conversation} members={members} loaded={loaded} />
      <Flags conversation={conversation} />
      <SearchHere conversation={conversation} />
      <DeviceFingerprints officials={members.filter((member) => !member.me).map((member) => member.official)} />
      {!conversation.left && <Leave conversation={conversation} />}
    </>
  );
}

function Title({ conversation }: { conversation: ConversationView }) {
  const { t } = useLingui();
  const set = useCommand("set_title");
  const [title, setTitle] = useState(conversation.title ?? "");
  const changed = title.trim() !== (conversation.title ?? "");
  return (
    <form
      className="flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void set.run({ group: conversation.group, title: title.trim() });
      }}
    >
      <TextField
        label={t`Title`}
        value={title}
        onChange={setTitle}
        maxLength={LONGEST_TITLE}
        className="min-w-52 flex-1"
      />
      <Button type="submit" kind="primary" busy={set.running} isDisabled={!changed || title.trim() === ""}>
        <Trans>Save</Trans>
      </Button>
      <div className="w-full empty:hidden">
        <Refusal error={set.error} />
      </div>
    </form>
  );
}

function Members({
  conversation,
  members,
  loaded,
}: {
  conversation: ConversationView;
  members: MemberView[];
  loaded: boolean;
}) {
  const { t } = useLingui();
  const format = useFormat();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<MemberView | null>(null);
  const remove = useCommand("remove_member");
  const editable = !conversation.left && !conversation.direct;
  const name = removing ? format.name(removing.name) : "";
  return (
    <Section title={loaded ? t`${format.number(members.length)} members` : t`Members`}>
      <ul className="-mx-2 flex flex-col">
        {!loaded && <Skeleton className="h-24" />}
        {members.map((member) => (
          <Member
            key={member.official}
            member={member}
            onRemove={editable && !member.me ? () => setRemoving(member) : null}
          />
        ))}
      </ul>
      {editable && (
        <Button icon={UserPlus} onPress={() => setAdding(true)} className="self-start">
          <Trans>Add people</Trans>
        </Button>
      )}
      <AddPeople group={conversation.group} members={members} isOpen={adding} onClose={() => setAdding(false)} />
      <Confirm
        isOpen={removing !== null}
        title={t`Remove ${name}?`}
        closeLabel={t`Keep`}
        confirmLabel={t`Remove`}
        kind="danger"
        busy={remove.running}
        onClose={() => {
          setRemoving(null);
          remove.reset();
        }}
        onConfirm={async () => {
          if (!removing) return;
          const done = await remove.run({ group: conversation.group, official: removing.official });
          if (done !== undefined) setRemoving(null);
        }}
      >
        <Trans>New messages will not reach this person. What they received already stays on their devices.</Trans>
        <Refusal error={remove.error} />
      </Confirm>
    </Section>
  );
}

function Member({ member, onRemove }: { member: MemberView; onRemove: (() => void) | null }) {
  const { t } = useLingui();
  const format = useFormat();
  const navigate = useNavigate();
  const { official } = useOfficial(member.official);
  const name = format.name(member.name) || member.username;
  const post = official?.posts[0];
  return (
    <li className="flex items-center">
      <Link
        to="/official/$id"
        params={{ id: member.official }}
        className="flex min-h-14 min-w-0 flex-1 items-center gap-3 rounded-control px-2 py-1 text-ink no-underline hover:bg-hover"
      >
        <Avatar id={member.official} name={name} />
        <span className="min-w-0 flex-1">
          <span className="flex items-center gap-2">
            <UserText className="truncate font-medium">{name}</UserText>
            {member.me && <Badge>{t`You`}</Badge>}
          </span>
          <UserText block className="truncate text-sm text-muted">
            {post ? format.name(post.title) : official ? format.name(official.rank) : member.username}
          </UserText>
        </span>
      </Link>
      {onRemove && (
        <Menu
          label={t`What to do with ${name}`}
          trigger={<IconButton icon={EllipsisVertical} size="small" label={t`What to do with ${name}`} />}
        >
          <MenuItem
            icon={UserRound}
            label={t`Show official`}
            onAction={() => void navigate({ to: "/official/$id", params: { id: member.official } })}
          />
          <MenuItem icon={UserMinus} danger label={t`Remove from the conversation`} onAction={onRemove} />
        </Menu>
      )}
    </li>
  );
}

function AddPeople({
  group,
  members,
  isOpen,
  onClose,
}: {
  group: Id;
  members: MemberView[];
  isOpen: boolean;
  onClose(): void;
}) {
  const { t } = useLingui();
  const add = useCommand("add_members");
  const [chosen, setChosen] = useState<Official[]>([]);
  // Another attempt asks anew who has a device.
  const [asked, setAsked] = useState(0);
  const close = () => {
    setChosen([]);
    add.reset();
    onClose();
  };
  return (
    <Dialog
      title={t`Add people`}
      isOpen={isOpen}
      onClose={close}
      closeLabel={t`Close`}
      actions={
        <>
          <Button onPress={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button
            kind="primary"
            isDisabled={chosen.length === 0}
            busy={add.running}
            onPress={async () => {
              setAsked(asked + 1);
              const done = await add.run({ group, officials: chosen.map((official) => official.official) });
              if (done !== undefined) close();
            }}
          >
            <Trans>Add</Trans>
          </Button>
        </>
      }
    >
      <p className="mb-2 text-sm text-muted">
        <Trans>They will read what is written from now on, and nothing from before.</Trans>
      </p>
      <InvitationRefusal key={asked} error={add.error} officials={chosen} />
      <PeoplePicker chosen={chosen} onChange={setChosen} without={members.map((member) => member.official)} />
    </Dialog>
  );
}

function Flags({ conversation }: { conversation: ConversationView }) {
  const { t } = useLingui();
  const engine = useEngine();
  const errorText = useErrorText();
  const { group, pinned, muted, archived } = conversation;
  const set = (change: Partial<{ pinned: boolean; muted: boolean; archived: boolean }>) =>
    void engine
      .call("set_flags", { group, pinned, muted, archived, ...change })
      .catch((error) => toast({ text: errorText(error) }));
  return (
    <Section title={t`On this device`}>
      <Switch label={t`Pin to the top`} selected={pinned} onChange={(on) => set({ pinned: on })} />
      <Switch
        label={t`Mute`}
        hint={t`No notification, except when you are mentioned.`}
        selected={muted}
        onChange={(on) => set({ muted: on })}
      />
      <Switch
        label={t`Archive`}
        hint={t`Folded away below the other conversations.`}
        selected={archived}
        onChange={(on) => set({ archived: on })}
      />
    </Section>
  );
}

function Alarms({ group }: { group: Id }) {
  const { t } = useLingui();
  const alarmText = useAlarmText();
  const format = useFormat();
  const alarms = (useTopic("alarms", {}) ?? []).filter((alarm) => alarm.group === group);
  if (alarms.length === 0) return null;
  return (
    <Section
      title={t`What could not be verified`}
      hint={
        <Trans>
          If you do not know why, compare fingerprints with the people concerned and tell your administrator.
        </Trans>
      }
    >
      <ul className="flex flex-col gap-3">
        {alarms.map((alarm, index) => (
          <li key={`${alarm.at}${alarm.kind}${index}`} className="flex items-start gap-3 text-warn-ink">
            <ShieldAlert size={20} aria-hidden className="mt-1" />
            <span>
              {alarmText(alarm.kind)}{" "}
              <time className="whitespace-nowrap text-sm text-muted">{format.dateTime(alarm.at)}</time>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Messages of this conversation only. */
function SearchHere({ conversation }: { conversation: ConversationView }) {
  const { t } = useLingui();
  const [text, setText] = useState("");
  const wanted = text.trim();
  return (
    <Section title={t`Search in this conversation`}>
      <SearchField label={t`Search messages`} clearLabel={t`Clear`} value={text} onChange={setText} />
      {wanted !== "" && (
        <SearchResults text={wanted} conversations={[conversation]} group={conversation.group} nothingElse />
      )}
    </Section>
  );
}

function Leave({ conversation }: { conversation: ConversationView }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const leave = useCommand("leave");
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button icon={LogOut} kind="danger" className="self-start" onPress={() => setAsking(true)}>
        <Trans>Leave the conversation</Trans>
      </Button>
      <Confirm
        isOpen={asking}
        title={t`Leave this conversation?`}
        closeLabel={t`Stay`}
        confirmLabel={t`Leave`}
        kind="danger"
        busy={leave.running}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          if ((await leave.run({ group: conversation.group })) === undefined) return;
          setAsking(false);
          void navigate({ to: "/" });
        }}
      >
        <Trans>
          You will receive nothing more from it, and only a member can add you again. What you have stays on this
          device.
        </Trans>
        <Refusal error={leave.error} />
      </Confirm>
    </>
  );
}
