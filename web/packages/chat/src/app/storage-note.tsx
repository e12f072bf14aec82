import { Trans, useLingui } from "@lingui/react/macro";
import { Banner, Button, toast } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { HardDrive } from "lucide-react";
import { createContext, type ReactNode, use, useEffect, useState } from "react";
import { useCommand, useEngine, useTopic } from "./engine.tsx";
import { usePreferences } from "./preferences.tsx";
import { storageWarning } from "./storage-warning.ts";

/** The one asking of this page load, whoever needed it first. */
let asking: Promise<unknown> | undefined;

/** What is to be said about storage that the browser may clear, once it was asked whether it would rather not. */
function useStorageWarning(closedNow: boolean): "quiet" | "strong" | null {
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

/** Whether the warning was put aside since the app was opened, wherever one has been since. */
const Aside = createContext<[aside: boolean, put: (aside: boolean) => void]>([false, () => {}]);

/** Around what changes with the page, so that what was put aside stays so. */
export function StorageAside({ children }: { children: ReactNode }) {
  return <Aside value={useState(false)}>{children}</Aside>;
}

/**
 * The word about it, below the list of what could be lost and nowhere else. Whoever closed the quiet one or read what it
 * means never sees it again in this browser; the settings go on saying it.
 */
export function StorageNote() {
  const { t } = useLingui();
  const { change } = usePreferences();
  const [aside, putAside] = use(Aside);
  const warning = useStorageWarning(aside);
  const seen = () => change({ evictionSeen: true });
  if (warning === null) return null;
  return (
    <section aria-label={t`Storage`} className="shrink-0 p-2">
      {warning === "strong" ? (
        <SpaceRunsOut onClose={() => putAside(true)} />
      ) : (
        <Banner tone="neutral" icon={HardDrive} onDismiss={seen} dismissLabel={t`Close`}>
          <Trans>The browser has not promised to keep your messages.</Trans>{" "}
          <Link
            to="/settings/$section"
            params={{ section: "storage" }}
            onClick={seen}
            className="font-medium underline"
          >
            <Trans>What this means</Trans>
          </Link>
        </Banner>
      )}
    </section>
  );
}

function SpaceRunsOut({ onClose }: { onClose(): void }) {
  const { t } = useLingui();
  const persist = useCommand("persist_storage");
  return (
    <Banner
      tone="warn"
      live
      icon={HardDrive}
      onDismiss={onClose}
      dismissLabel={t`Close`}
      action={
        <Button
          size="small"
          busy={persist.running}
          onPress={async () => {
            const kept = await persist.run({});
            onClose();
            if (kept === true) toast({ text: t`The browser keeps this data until you delete it.` });
            else toast({ text: t`The browser said no. Install the app or use it for some days, then ask again.` });
          }}
        >
          <Trans>Ask it to keep them</Trans>
        </Button>
      }
    >
      <Trans>Space is running out, and the browser may delete your messages.</Trans>
    </Banner>
  );
}
