import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Dialog } from "@pakawaaz/ui";
import { usePreferences } from "../app/preferences.tsx";

/** Said once after the first login, and always on the page "About". */
export function AssuranceNotice() {
  const { t } = useLingui();
  const { preferences, change } = usePreferences();
  const close = () => change({ assuranceSeen: true });
  return (
    <Dialog
      title={t`What this app can promise`}
      isOpen={!preferences.assuranceSeen}
      onClose={close}
      closeLabel={t`Close`}
      actions={
        <Button kind="primary" onPress={close}>
          <Trans>Understood</Trans>
        </Button>
      }
    >
      <AssuranceText />
    </Dialog>
  );
}

export function AssuranceText() {
  return (
    <div className="flex flex-col gap-3">
      <p>
        <Trans>
          Your messages are encrypted in this browser, and the server cannot read them. But the program that encrypts
          them is delivered by that same server each time you open this page.
        </Trans>
      </p>
      <p>
        <Trans>
          So a web app is only as honest as its server: a server that somebody took over could deliver another program.
          Your colleagues see this device marked as “web, software”. For the most sensitive matters use an installed app
          on a managed device.
        </Trans>
      </p>
    </div>
  );
}
