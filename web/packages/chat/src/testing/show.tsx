import type { AppState, Engine } from "@pakawaaz/api/protocol";
import { createMemoryHistory } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { App } from "../app/app.tsx";
import type { Preferences } from "../app/preferences.tsx";
import { fixtureEngine } from "../gallery/fixture-engine.ts";
import { appState } from "../gallery/fixtures.ts";

/** An engine whose application state a test changes while it is shown. */
export interface Staged {
  engine: Engine;
  set(some: Partial<AppState>): void;
}

/** `call` answers every command; what it leaves out the fixtures answer. */
export function staged(first: Partial<AppState>, call: Partial<Record<string, () => unknown>> = {}): Staged {
  const under = fixtureEngine({ app: first });
  let app = appState(first);
  const listeners = new Set<(app: AppState) => void>();
  const engine: Engine = {
    ...under,
    call: (async (name: string, args: never, options: never) =>
      call[name] ? call[name]() : under.call(name as never, args, options)) as Engine["call"],
    subscribe: ((topic: string, args: never, tell: (snapshot: never) => void) => {
      if (topic !== "app") return under.subscribe(topic as never, args, tell);
      const listener = tell as unknown as (app: AppState) => void;
      listeners.add(listener);
      setTimeout(() => listener(app), 0);
      return { id: 0, close: () => void listeners.delete(listener) };
    }) as Engine["subscribe"],
  };
  return {
    engine,
    set(some) {
      app = { ...app, ...some };
      for (const listener of listeners) listener(app);
    },
  };
}

/** Opens the whole app at a path. Preferences are the browser's unless `fixed`. */
export function show(engine: Engine, path = "/", fixed?: Partial<Preferences>): { page: HTMLElement; close(): void } {
  const page = document.createElement("div");
  document.body.append(page);
  const root = createRoot(page);
  const history = createMemoryHistory({ initialEntries: [path] });
  root.render(<App engine={engine} history={history} {...(fixed && { fixed })} />);
  return {
    page,
    close() {
      root.unmount();
      page.remove();
    },
  };
}

/** Waits until something of the page is so; fails with what it shows instead. */
export async function until(page: HTMLElement, so: () => unknown): Promise<void> {
  for (let rounds = 0; rounds < 1_000; rounds += 1) {
    if (so()) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`it never happened; the page says: ${page.textContent}`);
}

export function press(page: HTMLElement, name: string): void {
  const found = [...page.querySelectorAll<HTMLElement>("button, a")].find(
    (one) => one.textContent === name || one.getAttribute("aria-label") === name,
  );
  if (!found) throw new Error(`there is no ${name}; the page says: ${page.textContent}`);
  found.click();
}
