import { Trans, useLingui } from "@lingui/react/macro";
import { Banner, Section, Switch } from "@pakawaaz/ui";
import { useState } from "react";
import { usePreferences } from "../../app/preferences.tsx";

export function Notifications() {
  const { t } = useLingui();
  const { preferences, change } = usePreferences();
  const possible = "Notification" in globalThis;
  const [permission, setPermission] = useState(possible ? Notification.permission : "denied");
  async function turn(on: boolean) {
    if (!on) {
      change({ notify: false });
      return;
    }
    const answer = await Notification.requestPermission();
    setPermission(answer);
    if (answer === "granted") change({ notify: true });
  }
  return (
    <>
      <Section hint={<Trans>A notification says only that there is a message: neither from whom nor what.</Trans>}>
        <Switch
          label={t`Notifications`}
          hint={t`While the app is open in the background`}
          selected={preferences.notify && permission === "granted"}
          onChange={(on) => void turn(on)}
          disabled={!possible || permission === "denied"}
        />
        {permission === "denied" && (
          <Banner tone="warn">
            <Trans>The browser blocks notifications of this page. Allow them in the settings of the browser.</Trans>
          </Banner>
        )}
      </Section>
      <Section hint={<Trans>Ticks that say “read” belong to the record and cannot be switched off.</Trans>}>
        <Switch
          label={t`Show that I am writing`}
          hint={t`Others see it while you type`}
          selected={preferences.typing}
          onChange={(typing) => change({ typing })}
        />
      </Section>
      <Section>
        <Switch
          label={t`Enter sends the message`}
          hint={t`Shift and Enter then make a new line. On touch screens Enter always makes a new line.`}
          selected={preferences.enterSends}
          onChange={(enterSends) => change({ enterSends })}
        />
      </Section>
    </>
  );
}
