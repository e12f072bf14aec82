import { Trans, useLingui } from "@lingui/react/macro";
import { Choices, Section, Switch } from "@pakawaaz/ui";
import { usePreferences } from "../../app/preferences.tsx";

export function Appearance() {
  const { t } = useLingui();
  const { preferences, change } = usePreferences();
  return (
    <>
      <Section>
        <Choices
          label={t`Language`}
          value={preferences.language}
          onChange={(language) => change({ language })}
          choices={[
            { value: "en", label: "English", lang: "en" },
            { value: "ur", label: "اردو", lang: "ur" },
          ]}
        />
      </Section>
      <Section>
        <Choices
          label={t`Theme`}
          value={preferences.theme}
          onChange={(theme) => change({ theme })}
          choices={[
            { value: "system", label: t`As the device` },
            { value: "light", label: t`Light` },
            { value: "dark", label: t`Dark` },
          ]}
        />
        <Switch
          label={t`High contrast`}
          hint={t`Black and white, clear lines`}
          selected={preferences.contrast}
          onChange={(contrast) => change({ contrast })}
        />
      </Section>
      <Section>
        <Choices
          label={t`Size of text`}
          value={preferences.text}
          onChange={(text) => change({ text })}
          choices={[
            { value: "small", label: t`Small` },
            { value: "normal", label: t`Normal` },
            { value: "large", label: t`Large` },
            { value: "larger", label: t`Larger` },
          ]}
        />
        <p className="rounded-control bg-sunken p-3">
          <Trans>This is how a message looks.</Trans>
        </p>
      </Section>
      <Section>
        <Switch
          label={t`Less motion`}
          hint={t`Nothing slides or pulses`}
          selected={preferences.motion === "reduced"}
          onChange={(reduced) => change({ motion: reduced ? "reduced" : "system" })}
        />
      </Section>
    </>
  );
}
