import { Trans } from "@lingui/react/macro";
import { Button } from "@pakawaaz/ui";
import type { ReactNode } from "react";
import { Mark } from "../app/mark.tsx";
import { usePreferences } from "../app/preferences.tsx";

/** What stands around the screens before the app: the mark, the language, one card. */
export function Frame({
  title,
  lead,
  children,
  wide,
}: {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  wide?: boolean;
}) {
  return (
    <div className="flex min-h-dvh flex-col bg-page">
      <header className="flex items-center justify-between gap-3 px-4 pt-4 sm:px-8 sm:pt-6">
        <span className="flex items-center gap-3 text-lg font-semibold">
          <Mark size={36} />
          <Trans>Pakawaaz</Trans>
        </span>
        <LanguageSwitch />
      </header>
      <main
        className={`mx-auto flex w-full flex-1 flex-col justify-center gap-6 px-4 py-8 ${wide ? "max-w-3xl" : "max-w-md"}`}
      >
        <div className="flex flex-col gap-2">
          <h1 className="text-2xl font-semibold leading-tight text-balance urdu:leading-[2]">{title}</h1>
          {lead && <div className="text-muted">{lead}</div>}
        </div>
        {children && (
          <div className="flex flex-col gap-5 rounded-card border border-line bg-surface p-5 shadow-raised sm:p-6">
            {children}
          </div>
        )}
      </main>
    </div>
  );
}

/** Each language is named in itself, so that whoever needs it can read it. */
export function LanguageSwitch() {
  const { preferences, change } = usePreferences();
  const other = preferences.language === "en" ? "ur" : "en";
  return (
    <Button kind="quiet" size="small" onPress={() => change({ language: other })}>
      {other === "ur" ? <span lang="ur">{"اردو"}</span> : <span lang="en">{"English"}</span>}
    </Button>
  );
}
