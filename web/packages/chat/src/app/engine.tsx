import type { Commands, Engine, EngineError, Happening, Progress, Subscription, Topics } from "@pakawaaz/api/protocol";
import {
  createContext,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";

/**
 * A topic that somebody shows. Several components share one subscription; it lives a moment longer than the last of
 * them, so that going back and forth between screens does not ask again.
 */
class Shared<N extends keyof Topics> {
  snapshot: Topics[N][1] | undefined;
  subscription: Subscription | undefined;
  readonly #listeners = new Set<() => void>();
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly topic: N,
    private readonly args: Topics[N][0],
    private readonly onEnd: () => void,
  ) {}

  readonly listen = (listener: () => void): (() => void) => {
    clearTimeout(this.#closing);
    this.#listeners.add(listener);
    this.subscription ??= this.engine.subscribe(this.topic, this.args, (snapshot) => {
      this.snapshot = snapshot;
      for (const each of this.#listeners) each();
    });
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#closing = setTimeout(() => {
        this.subscription?.close();
        this.subscription = undefined;
        this.onEnd();
      }, LINGER_MS);
    };
  };
}

const LINGER_MS = 2_000;

class Hub {
  readonly #shared = new Map<string, Shared<keyof Topics>>();
  constructor(readonly engine: Engine) {}

  topic<N extends keyof Topics>(topic: N, args: Topics[N][0]): Shared<N> {
    const key = `${topic} ${JSON.stringify(args)}`;
    let shared = this.#shared.get(key) as Shared<N> | undefined;
    if (!shared) {
      const created: Shared<N> = new Shared(this.engine, topic, args, () => {
        if ((this.#shared.get(key) as unknown) === created) this.#shared.delete(key);
      });
      shared = created;
      this.#shared.set(key, created as unknown as Shared<keyof Topics>);
    }
    return shared;
  }
}

const HubContext = createContext<Hub | null>(null);

export function EngineProvider({ engine, children }: { engine: Engine; children: ReactNode }) {
  const hub = useMemo(() => new Hub(engine), [engine]);
  return <HubContext value={hub}>{children}</HubContext>;
}

function useHub(): Hub {
  const hub = use(HubContext);
  if (!hub) throw new Error("no EngineProvider above");
  return hub;
}

/** The engine itself, for what the other hooks don't cover. */
export function useEngine(): Engine {
  return useHub().engine;
}

/** The newest snapshot; `undefined` until the first one arrives: show a skeleton. */
export function useTopic<N extends keyof Topics>(topic: N, args: Topics[N][0]): Topics[N][1] | undefined {
  return useSubscription(topic, args).snapshot;
}

/** As `useTopic`, with the subscription (the command `window` names it by its id). */
export function useSubscription<N extends keyof Topics>(
  topic: N,
  args: Topics[N][0],
): { snapshot: Topics[N][1] | undefined; id: () => number | undefined } {
  const hub = useHub();
  const key = JSON.stringify(args);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the arguments are compared by value
  const shared = useMemo(() => hub.topic(topic, args), [hub, topic, key]);
  const snapshot = useSyncExternalStore(shared.listen, () => shared.snapshot);
  return { snapshot, id: useCallback(() => shared.subscription?.id, [shared]) };
}

export interface Command<N extends keyof Commands> {
  /** Resolves with the reply, or with `undefined` after a refusal, which is then in `error`. */
  run(args: Commands[N][0], options?: { files?: File[]; signal?: AbortSignal }): Promise<Commands[N][1] | undefined>;
  running: boolean;
  error: EngineError | null;
  /** Steps reported so far by `enrol` and `login`. */
  progress: Progress[];
  reset(): void;
}

/** A command with its state, for forms and buttons. */
export function useCommand<N extends keyof Commands>(name: N): Command<N> {
  const { engine } = useHub();
  const [state, setState] = useState<{ running: boolean; error: EngineError | null; progress: Progress[] }>(IDLE);
  const run: Command<N>["run"] = useCallback(
    async (args, options) => {
      setState({ running: true, error: null, progress: [] });
      try {
        const reply = await engine.call(name, args, {
          ...options,
          progress: (step) => setState((was) => ({ ...was, progress: [...was.progress, step] })),
        });
        setState((was) => ({ ...was, running: false }));
        return reply;
      } catch (thrown) {
        setState((was) => ({ ...was, running: false, error: asEngineError(thrown) }));
        return undefined;
      }
    },
    [engine, name],
  );
  const reset = useCallback(() => setState(IDLE), []);
  return { run, reset, ...state };
}

const IDLE = { running: false, error: null, progress: [] };

/** Calls `listener` for everything that happens while the component is shown. */
export function useHappenings(listener: (happening: Happening) => void) {
  const { engine } = useHub();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => engine.onHappening((happening) => latest.current(happening)), [engine]);
}

/** What the browser knows of the network. Before a login the engine keeps no connection that could tell. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      addEventListener("online", listener);
      addEventListener("offline", listener);
      return () => {
        removeEventListener("online", listener);
        removeEventListener("offline", listener);
      };
    },
    () => navigator.onLine,
  );
}

/** Whatever was thrown, as something that has a code. */
export function asEngineError(thrown: unknown): EngineError {
  if (thrown && typeof thrown === "object" && "code" in thrown && typeof thrown.code === "string") {
    const wait = "retry_after_ms" in thrown && typeof thrown.retry_after_ms === "number" ? thrown.retry_after_ms : null;
    const message = "message" in thrown ? String(thrown.message) : "";
    return { code: thrown.code, message, retry_after_ms: wait };
  }
  return { code: "client.unexpected", message: String(thrown), retry_after_ms: null };
}
