import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Banner, Button } from "@pakawaaz/ui";
import { useNavigate } from "@tanstack/react-router";
import { CloudOff, HardDrive, LogIn, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useCommand, useTopic } from "./engine.tsx";
import { usePreferences } from "./preferences.tsx";
import { useUpdate } from "./updates.tsx";

/** A short interruption is nobody's business. */
const OFFLINE_AFTER_MS = 1_500;

/** What concerns the whole app: no connection, no session, a new version. */
export function TopBanners() {
  const { t } = useLingui();
  const app = useTopic("app", {});
  const navigate = useNavigate();
  const update = useUpdate();
  const persist = useCommand("persist_storage");
  const { preferences, change } = usePreferences();
  const offline = useLasting(app?.phase === "ready" && app.connection === "offline", OFFLINE_AFTER_MS);
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
        <Banner tone="warn" flush live icon={CloudOff}>
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
      {app?.phase === "ready" && !app.storage_persistent && !preferences.evictionSeen && (
        <Banner
          tone="warn"
          flush
          icon={HardDrive}
          onDismiss={() => change({ evictionSeen: true })}
          dismissLabel={t`Not now`}
          action={
            <Button
              size="small"
              busy={persist.running}
              onPress={() => void persist.run({}).then(() => change({ evictionSeen: true }))}
            >
              <Trans>Ask it to keep them</Trans>
            </Button>
          }
        >
          <Trans>The browser may delete your messages</Trans>
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

/** True once `value` has been true for so long; false at once. */
function useLasting(value: boolean, ms: number): boolean {
  const [lasting, set] = useState(false);
  useEffect(() => {
    if (!value) {
      set(false);
      return;
    }
    const timer = setTimeout(() => set(true), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return value && lasting;
}
