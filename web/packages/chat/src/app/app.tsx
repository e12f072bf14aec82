import type { Engine } from "@pakawaaz/api/protocol";
import { type RouterHistory, RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { Announcer } from "./announcer.tsx";
import { EngineProvider } from "./engine.tsx";
import { Translations } from "./i18n.tsx";
import { type Preferences, PreferencesProvider } from "./preferences.tsx";
import { makeRouter } from "./router.tsx";

/** The whole app over an engine. `history` and `fixed` are for the gallery. */
export function App({
  engine,
  history,
  fixed,
}: {
  engine: Engine;
  history?: RouterHistory;
  fixed?: Partial<Preferences>;
}) {
  const [router] = useState(() => makeRouter(history));
  return (
    <PreferencesProvider fixed={fixed}>
      <Translations>
        <EngineProvider engine={engine}>
          <Announcer>
            <RouterProvider router={router} />
          </Announcer>
        </EngineProvider>
      </Translations>
    </PreferencesProvider>
  );
}
