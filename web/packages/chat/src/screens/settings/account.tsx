import { Trans, useLingui } from "@lingui/react/macro";
import { Avatar, Banner, Button, Confirm, Section, Skeleton } from "@pakawaaz/ui";
import { Lock, LogOut } from "lucide-react";
import { useState } from "react";
import { useCommand, useTopic } from "../../app/engine.tsx";
import { Refusal } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { leaving } from "../../app/leaving.ts";
import { useAssuranceLabel } from "../devices.tsx";

/** Who I am here, as the certificate says it, and the ways out. */
export function Account() {
  const { t } = useLingui();
  const format = useFormat();
  const assurance = useAssuranceLabel();
  const app = useTopic("app", {});
  const lock = useCommand("lock");
  const logout = useCommand("logout");
  const [asking, setAsking] = useState<"here" | "everywhere" | null>(null);
  if (!app) return <Skeleton className="h-48" />;
  const { me } = app;
  return (
    <>
      {me && (
        <Section>
          <div className="flex items-center gap-4">
            <Avatar id={me.official} name={format.name(me.name)} size="large" />
            <div className="min-w-0">
              <p className="text-xl font-semibold" dir="auto">
                {format.name(me.name)}
              </p>
              <p className="text-muted">{format.name(me.rank)}</p>
              <p className="code text-sm text-muted">{me.username}</p>
            </div>
          </div>
          <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
            {me.posts.map((post) => (
              <div key={post.post} className="contents">
                <dt className="text-muted">
                  <Trans>Post</Trans>
                </dt>
                <dd>
                  {format.name(post.title)}
                  <span className="block text-sm text-muted">
                    {post.units.map((unit) => format.name(unit)).join(" · ")}
                  </span>
                </dd>
              </div>
            ))}
            <dt className="text-muted">
              <Trans>Organisation</Trans>
            </dt>
            <dd>
              <bdi>{me.realm}</bdi>
            </dd>
            <dt className="text-muted">
              <Trans>This device</Trans>
            </dt>
            <dd>
              <bdi>{me.label}</bdi>
              <span className="block text-sm text-muted">{assurance(me.assurance)}</span>
            </dd>
            <dt className="text-muted">
              <Trans>Session</Trans>
            </dt>
            <dd>
              {me.session_ends_at ? <Trans>until {format.dateTime(me.session_ends_at)}</Trans> : <Trans>none</Trans>}
            </dd>
          </dl>
        </Section>
      )}
      {app.server?.demo && (
        <Banner tone="warn" title={t`Demonstration`}>
          <Trans>This server is for trying things out. Its keys are not secret; write nothing real here.</Trans>
        </Banner>
      )}
      <Section
        hint={
          <Trans>Locking keeps the session; logging out ends it. Messages stay on this device in both cases.</Trans>
        }
      >
        <div className="flex flex-wrap gap-2">
          <Button icon={Lock} onPress={() => void lock.run({})} busy={lock.running}>
            <Trans>Lock</Trans>
          </Button>
          <Button icon={LogOut} onPress={() => setAsking("here")} isDisabled={app.phase !== "ready"}>
            <Trans>Log out here</Trans>
          </Button>
          <Button icon={LogOut} onPress={() => setAsking("everywhere")} isDisabled={app.phase !== "ready"}>
            <Trans>Log out everywhere</Trans>
          </Button>
        </div>
      </Section>
      <Confirm
        title={asking === "everywhere" ? t`Log out on every device?` : t`Log out here?`}
        isOpen={asking !== null}
        onClose={() => setAsking(null)}
        closeLabel={t`Stay logged in`}
        confirmLabel={t`Log out`}
        busy={logout.running}
        onConfirm={async () => {
          leaving.asked = true;
          const done = await logout.run({ everywhere: asking === "everywhere" });
          if (done === undefined) leaving.asked = false;
          else setAsking(null);
        }}
      >
        <div className="flex flex-col gap-3">
          <p>
            <Trans>New messages arrive again after the next login with all three factors.</Trans>
          </p>
          {app.queued > 0 && (
            <Banner tone="warn">
              <Trans>Messages that have not gone out yet wait until then.</Trans>
            </Banner>
          )}
          <Refusal error={logout.error} />
        </div>
      </Confirm>
    </>
  );
}
