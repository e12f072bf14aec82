import { Trans, useLingui } from "@lingui/react/macro";
import { Banner } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { HardDrive } from "lucide-react";
import { useEffect, useState } from "react";
import { useEngine, useTopic } from "./engine.tsx";
import { usePreferences } from "./preferences.tsx";
import { storageWarning } from "./storage-warning.ts";

/** The one asking of this page load, whoever needed it first. */
let asking: Promise<unknown> | undefined;

/** What is to be said about storage that the browser may clear, once it was asked whether it would rather not. */
export function useStorageWarning(closedNow: boolean): "quiet" | "strong" | null {
  const app = useTopic("app", {});
  const conversations = useTopic("conversations", {});
  const { evictionSeen } = usePreferences().preferences;
  const warning = storageWarning(app, conversations ?? [], evictionSeen, closedNow);
  const asked = useSilentAsking(warning !== null);
  return asked ? warning : null;
}

/**
 * Chromium decides by itself whether it keeps the data, and asks nobody: so it is asked once before anybody is warned.
 * Other browsers put a question to the official, which needs the official's wish.
 */
function useSilentAsking(needed: boolean): boolean {
  const engine = useEngine();
  const [done, setDone] = useState(!("userAgentData" in navigator));
  useEffect(() => {
    if (done || !needed) return;
    let here = true;
    asking ??= engine.call("persist_storage", {}).catch(() => false);
    void asking.then(() => here && setDone(true));
    return () => {
      here = false;
    };
  }, [engine, done, needed]);
  return done;
}

/**
 * The quiet word about it, below the list of what could be lost and nowhere else. Whoever closed it or read what it means
 * never sees it again in this browser; the settings go on saying it.
 */
export function StorageNote() {
  const { t } = useLingui();
  const { change } = usePreferences();
  const seen = () => change({ evictionSeen: true });
  if (useStorageWarning(false) !== "quiet") return null;
  return (
    <section aria-label={t`Storage`} className="shrink-0 p-2">
      <Banner tone="neutral" icon={HardDrive} onDismiss={seen} dismissLabel={t`Close`}>
        <Trans>The browser has not promised to keep your messages.</Trans>{" "}
        <Link to="/settings/$section" params={{ section: "storage" }} onClick={seen} className="font-medium underline">
          <Trans>What this means</Trans>
        </Link>
      </Banner>
    </section>
  );
}
