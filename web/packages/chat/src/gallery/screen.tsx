import { createMemoryHistory } from "@tanstack/react-router";
import { useState } from "react";
import { App } from "../app/app.tsx";
import type { Preferences } from "../app/preferences.tsx";
import { fixtureEngine } from "./fixture-engine.ts";
import { scenes } from "./scenes.ts";

/** The preferences that an address of the gallery names: `lang`, `theme`, `contrast`, `text`. */
export function preferencesOf(query: URLSearchParams): Partial<Preferences> {
  return {
    language: query.get("lang") === "ur" ? "ur" : "en",
    theme: query.get("theme") === "dark" ? "dark" : "light",
    contrast: query.get("contrast") === "more",
    text: (query.get("text") ?? "normal") as Preferences["text"],
    assuranceSeen: query.get("notice") !== "1",
  };
}

/** One screen of the app over fixtures: `?screen=/devices&scene=empty&lang=ur&theme=dark`. */
export function Screen({ query }: { query: URLSearchParams }) {
  const [engine] = useState(() => fixtureEngine(scenes[query.get("scene") ?? "ready"]));
  const [history] = useState(() => createMemoryHistory({ initialEntries: [query.get("screen") || "/"] }));
  const [fixed] = useState(() => preferencesOf(query));
  return <App engine={engine} history={history} fixed={fixed} />;
}
