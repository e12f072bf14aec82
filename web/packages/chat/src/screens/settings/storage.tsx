import { Trans, useLingui } from "@lingui/react/macro";
import { Banner, Button, Progress, Section, Skeleton } from "@pakawaaz/ui";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useCommand, useTopic } from "../../app/engine.tsx";
import { Refusal } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { ForgetDialog } from "../forget.tsx";
import { KeptFiles } from "./kept-files.tsx";

export function StorageUse() {
  const { t } = useLingui();
  const format = useFormat();
  const app = useTopic("app", {});
  const persist = useCommand("persist_storage");
  const [refused, setRefused] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  if (!app) return <Skeleton className="h-40" />;
  const { storage } = app;
  return (
    <>
      <Section
        title={t`Used in this browser`}
        hint={<Trans>Everything is encrypted under your PIN and a key of this browser.</Trans>}
      >
        {storage ? (
          <Progress
            label={t`Used`}
            visibleLabel
            value={storage.quota ? storage.usage / storage.quota : 0}
            detail={t`${format.bytes(storage.usage)} of ${format.bytes(storage.quota)}`}
          />
        ) : (
          <p className="text-muted">
            <Trans>The browser does not say how much is used.</Trans>
          </p>
        )}
        {app.storage_persistent ? (
          <Banner tone="ok">
            <Trans>The browser keeps this data until you delete it.</Trans>
          </Banner>
        ) : (
          <Banner
            tone="warn"
            title={t`The browser may delete your messages`}
            action={
              <Button
                size="small"
                busy={persist.running}
                onPress={async () => setRefused((await persist.run({})) === false)}
              >
                <Trans>Ask it to keep them</Trans>
              </Button>
            }
          >
            {refused ? (
              <Trans>The browser said no. Install the app or use it for some days, then ask again.</Trans>
            ) : (
              <Trans>When space runs out on this device, browsers clear pages that did not ask to be kept.</Trans>
            )}
          </Banner>
        )}
        <Refusal error={persist.error} />
      </Section>
      <KeptFiles />
      <Section
        title={t`Delete`}
        hint={<Trans>There is no export: messages leave this device only as messages to other officials.</Trans>}
      >
        <Button kind="danger" icon={Trash2} className="self-start" onPress={() => setForgetting(true)}>
          <Trans>Delete what is stored here</Trans>
        </Button>
      </Section>
      <ForgetDialog isOpen={forgetting} onClose={() => setForgetting(false)} />
    </>
  );
}
