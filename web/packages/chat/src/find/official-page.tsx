import { Trans, useLingui } from "@lingui/react/macro";
import type { HeldPost, Id, Official } from "@pakawaaz/api/protocol";
import { Avatar, Button, IconButton, Section, Skeleton, TopBar } from "@pakawaaz/ui";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { ArrowLeft, MessageSquareText, ShieldCheck } from "lucide-react";
import { useCommand, useTopic } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";
import { DeviceFingerprints } from "./device-fingerprints";
import { FindError } from "./find-page";
import { InvitationRefusal } from "./no-device";
import { StandingBadges } from "./standing";
import { useOfficial } from "./use-find";

/** Who an official is, as certificates say, before the first word is written. */
export function OfficialPage({ official: id }: { official: Id }) {
  const { t } = useLingui();
  const router = useRouter();
  const app = useTopic("app", {});
  const { official, error, again } = useOfficial(id);
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-page">
      <TopBar
        title={t`Official`}
        back={<IconButton icon={ArrowLeft} label={t`Back`} onPress={() => router.history.back()} />}
      />
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-6">
        <div className="mx-auto flex max-w-2xl flex-col gap-6">
          {official ? (
            <Details official={official} me={app?.me?.official === official.official} />
          ) : error ? (
            <FindError error={error} onAgain={again} />
          ) : (
            <div role="status" aria-label={t`Loading`} className="flex flex-col items-center gap-3">
              <Skeleton className="size-20 rounded-full" />
              <Skeleton className="h-6 w-48" />
              <Skeleton className="h-5 w-64" />
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

function Details({ official, me }: { official: Official; me: boolean }) {
  const { t } = useLingui();
  const format = useFormat();
  const name = format.name(official.name);
  const other = format.language === "ur" ? official.name.en : official.name.ur;
  return (
    <>
      <header className="flex flex-col items-center gap-1 text-center">
        <Avatar id={official.official} name={name} size="large" />
        <h2 className="mt-2 text-2xl font-semibold">
          <UserText>{name}</UserText>
        </h2>
        {other && other !== name && <UserText className="text-lg text-muted">{other}</UserText>}
        <p>
          <UserText>{format.name(official.rank)}</UserText>
        </p>
        <p className="code text-muted">{official.username}</p>
        {me ? (
          <p className="mt-2 text-muted">
            <Trans>This is you.</Trans>
          </p>
        ) : (
          <WriteButton official={official} />
        )}
      </header>
      <Section
        title={t`Posts`}
        hint={
          <span className="inline-flex items-start gap-1.5">
            <ShieldCheck size={16} aria-hidden className="mt-1" />
            <Trans>
              Each appointment is signed by two administrators. This device checks the signatures; what it could not
              check is marked.
            </Trans>
          </span>
        }
      >
        {official.posts.length === 0 && (
          <p className="text-muted">
            <Trans>Holds no post at the moment.</Trans>
          </p>
        )}
        {official.posts.map((post) => (
          <HeldPostRow key={post.post} post={post} />
        ))}
      </Section>
      <DeviceFingerprints officials={[official.official]} />
    </>
  );
}

function HeldPostRow({ post }: { post: HeldPost }) {
  const { t } = useLingui();
  const format = useFormat();
  return (
    <div className="flex items-start justify-between gap-4">
      <div className="min-w-0">
        <UserText block className="font-medium">
          {format.name(post.title)}
        </UserText>
        {[...post.units].reverse().map((unit) => (
          <UserText block key={unit.en + unit.ur} className="text-sm text-muted">
            {format.name(unit)}
          </UserText>
        ))}
        <StandingBadges post={post} />
      </div>
      <span className="shrink-0 text-sm text-muted">{t`BS-${post.grade}`}</span>
    </div>
  );
}

function WriteButton({ official }: { official: Official }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const conversations = useTopic("conversations", {});
  const create = useCommand("new_conversation");
  const write = async () => {
    const open = conversations?.find(
      (entry) => entry.direct && !entry.left && entry.members.includes(official.official),
    );
    if (open) {
      void navigate({ to: "/c/$group", params: { group: open.group } });
      return;
    }
    const begun = await create.run({ officials: [official.official], title: null });
    if (begun) void navigate({ to: "/c/$group", params: { group: begun.group } });
  };
  return (
    <>
      <Button
        kind="primary"
        size="large"
        icon={MessageSquareText}
        busy={create.running}
        onPress={() => void write()}
        className="mt-4"
      >
        {t`Write a message`}
      </Button>
      <div className="mt-2 w-full text-start empty:hidden">
        <InvitationRefusal error={create.error} officials={[official]} />
      </div>
    </>
  );
}
