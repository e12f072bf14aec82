import { Plural, Trans, useLingui } from "@lingui/react/macro";
import type { AppState } from "@pakawaaz/api/protocol";
import { Banner, Button } from "@pakawaaz/ui";
import { useNavigate } from "@tanstack/react-router";
import { CloudOff, LogIn, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useEngine, useTopic } from "./engine.tsx";
import { useUpdate } from "./updates.tsx";

/** A short interruption is nobody's business. */
const OFFLINE_AFTER_MS = 1_500;
/** An attempt that fails at once is shown for so long: otherwise nothing seems to have happened. */
const SEEN_MS = 800;

/** What concerns the whole app: no connection, no session, a new version. */
export function TopBanners() {
  const { t } = useLingui();
  const app = useTopic("app", {});
  const navigate = useNavigate();
  const update = useUpdate();
  const offline = useOffline(app);
  const queued = app?.queued ?? 0;
  return (
    <section className="flex shrink-0 flex-col" aria-label={t`State of the app`}>
      {app?.phase === "logged_out" && (
        <Banner
          tone="info"
          flush
          live
          icon={LogIn}
          action={
            <Button size="small" kind="primary" onPress={() => void navigate({ to: "/login" })}>
              <Trans>Log in</Trans>
            </Button>
          }
        >
          <Trans>You are reading without a session. What you write is kept and goes out after the login.</Trans>
        </Banner>
      )}
      {offline && (
        <Banner
          tone="warn"
          flush
          live
          icon={CloudOff}
          action={<TryNow connecting={app?.connection === "connecting"} />}
        >
          {queued > 0 ? (
            <Plural
              value={queued}
              one="No connection. One message waits here and goes out by itself."
              other="No connection. # messages wait here and go out by themselves."
            />
          ) : (
            <Trans>No connection. You can read and write; messages go out when it is back.</Trans>
          )}
        </Banner>
      )}
      {update.ready && (
        <Banner
          tone="info"
          flush
          live
          icon={RefreshCw}
          action={
            <Button size="small" onPress={update.apply}>
              <Trans>Reload now</Trans>
            </Button>
          }
        >
          <Trans>A new version of the app is ready.</Trans>
        </Banner>
      )}
    </section>
  );
}

/** Whether there has been no connection for a while. An attempt to get one does not end that, only its success. */
function useOffline(app: AppState | undefined): boolean {
  const [lasting, set] = useState(false);
  const down = app?.phase === "ready" && app.connection === "offline";
  const over = app?.phase !== "ready" || app.connection === "online";
  useEffect(() => {
    if (over) set(false);
    if (!down) return;
    const timer = setTimeout(() => set(true), OFFLINE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [down, over]);
  return lasting && !over;
}

/** Tries to connect without waiting for the next attempt, and shows whenever one is being made. */
function TryNow({ connecting }: { connecting: boolean }) {
  const engine = useEngine();
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), SEEN_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  const trying = asked || connecting;
  return (
    <Button
      size="small"
      busy={trying}
      onPress={() => {
        setAsked(true);
        engine.reconnect();
      }}
    >
      {trying ? <Trans>Trying…</Trans> : <Trans>Try now</Trans>}
    </Button>
  );
}
