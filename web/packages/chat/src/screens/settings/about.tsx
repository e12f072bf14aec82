import { Trans, useLingui } from "@lingui/react/macro";
import { Section } from "@pakawaaz/ui";
import { Fingerprint } from "@pakawaaz/ui/qr";
import { useTopic } from "../../app/engine.tsx";
import { AssuranceText } from "../assurance.tsx";

export function About() {
  const { t } = useLingui();
  const app = useTopic("app", {});
  return (
    <>
      <Section title={t`What this app can promise`}>
        <AssuranceText />
      </Section>
      <Section title={t`How your messages travel`}>
        <p>
          <Trans>
            Each conversation has its own keys, which change with its members. They are agreed on between devices (MLS,
            RFC 9420, with post-quantum encryption). The server passes on what it cannot read.
          </Trans>
        </p>
        <p>
          <Trans>
            The server knows who writes to whom, when, and how much. Ticks say what is true: “sent” is on the server's
            disk, “delivered” is on another device, “read” was shown.
          </Trans>
        </p>
      </Section>
      {app?.me && (
        <Section title={t`Code of this device`} hint={<Trans>Colleagues see the same digits when they compare.</Trans>}>
          <Fingerprint code={app.me.fingerprint} label={t`Code of this device`} />
        </Section>
      )}
    </>
  );
}
