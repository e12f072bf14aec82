/** The engine as one tab holds it. */
import { type Ask, RESTARTED, refusal, type Tell } from "./messages.ts";
import type { AppState, Engine, EngineError, Happening, Progress, Topics } from "./protocol.ts";
import { another, hopeless, NONE } from "./restarts.ts";
import workerAddress from "./worker.ts?worker&url";

export interface Options {
  /** Marks the address of the worker as a trusted one, where the content security policy asks for that. */
  trusted?: (address: string) => string;
}

interface Call {
  resolve(reply: { json: string; blob: Blob | undefined }): void;
  reject(error: EngineError): void;
  progress: ((step: Progress) => void) | undefined;
}

interface Open {
  topic: string;
  args: string;
  onSnapshot(snapshot: unknown): void;
}

const STARTING: AppState = {
  phase: "starting",
  connection: "offline",
  retry_in_ms: null,
  caught_up: false,
  server: null,
  me: null,
  queued: 0,
  storage_persistent: true,
  storage: null,
  leader: false,
};

/** What the engine needs and this browser lacks. */
function missing(): string | null {
  if (!globalThis.isSecureContext) return "a secure context";
  if (!("indexedDB" in globalThis)) return "IndexedDB";
  if (!navigator.locks) return "Web Locks";
  if (!("BroadcastChannel" in globalThis)) return "BroadcastChannel";
  if (!("WebAssembly" in globalThis)) return "WebAssembly";
  if (!globalThis.crypto?.subtle) return "WebCrypto";
  return null;
}

/** Connects this tab to the engine of its origin. One for each tab. */
export function connect(options: Options = {}): Engine {
  return new Tab(options);
}

class Tab implements Engine {
  readonly #trusted: (address: string) => string;
  readonly #calls = new Map<number, Call>();
  readonly #open = new Map<number, Open>();
  readonly #listeners = new Set<(happening: Happening) => void>();
  #worker: Worker | null = null;
  #next = 1;
  #breakdowns = NONE;
  #app: AppState = STARTING;
  #leader = false;

  constructor({ trusted = (address) => address }: Options) {
    this.#trusted = trusted;
    if (missing()) {
      this.#app = { ...STARTING, phase: "unsupported" };
      return;
    }
    this.#begin();
    for (const change of ["online", "offline"]) {
      globalThis.addEventListener(change, this.reconnect);
    }
  }

  call: Engine["call"] = async (name, args, options = {}) => {
    // Only a page may ask for this; the worker reads the outcome.
    if (name === "persist_storage") await navigator.storage?.persist?.();
    const { json } = await this.#call(name, args, options);
    return JSON.parse(json);
  };

  download: Engine["download"] = async (args, { signal } = {}) => {
    // The engine would go on for nobody.
    const abandoned = () =>
      this.#ask({ t: "call", id: this.#next++, name: "cancel_download", args: JSON.stringify(args) });
    signal?.addEventListener("abort", abandoned, { once: true });
    try {
      const { blob } = await this.#call("download", args, { signal });
      if (!blob) throw JSON.parse(refusal("engine.failed", "no bytes came with the reply")) as EngineError;
      return blob;
    } finally {
      signal?.removeEventListener("abort", abandoned);
    }
  };

  subscribe: Engine["subscribe"] = <N extends keyof Topics>(
    topic: N,
    args: Topics[N][0],
    onSnapshot: (snapshot: Topics[N][1]) => void,
  ) => {
    const id = this.#next++;
    const open: Open = { topic, args: JSON.stringify(args), onSnapshot: onSnapshot as (snapshot: unknown) => void };
    this.#open.set(id, open);
    this.#ask({ t: "subscribe", id, topic, args: open.args });
    // There is always a state of the application to show.
    if (topic === "app") queueMicrotask(() => this.#open.has(id) && open.onSnapshot(this.#appState()));
    const close = () => {
      if (this.#open.delete(id)) this.#ask({ t: "unsubscribe", id });
    };
    return { id, close };
  };

  reconnect: Engine["reconnect"] = () => this.#ask({ t: "network" });

  onHappening: Engine["onHappening"] = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #begin(): void {
    const worker = new Worker(this.#trusted(workerAddress), { type: "module", name: "pakawaaz" });
    worker.onmessage = ({ data }: MessageEvent<Tell>) => this.#hear(worker, data);
    // A trap without a panic (no memory left), or what is still heard of a worker that was replaced already.
    worker.onerror = () => {
      if (worker === this.#worker) this.#restart();
    };
    this.#worker = worker;
    for (const [id, { topic, args }] of this.#open) this.#ask({ t: "subscribe", id, topic, args });
  }

  #ask(ask: Ask): void {
    this.#worker?.postMessage(ask);
  }

  #call(
    name: string,
    args: unknown,
    {
      files,
      progress,
      signal,
    }: {
      files?: File[] | undefined;
      progress?: ((step: Progress) => void) | undefined;
      signal?: AbortSignal | undefined;
    },
  ): Promise<{ json: string; blob: Blob | undefined }> {
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(JSON.parse(refusal("engine.unsupported", "this browser cannot run the engine")));
        return;
      }
      const cancelled = () => reject(JSON.parse(refusal("engine.cancelled", "nobody waits for the answer any more")));
      if (signal?.aborted) {
        cancelled();
        return;
      }
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => this.#calls.delete(id) && cancelled(), { once: true });
      this.#ask({ t: "call", id, name, args: JSON.stringify(args), ...(files ? { files } : {}) });
    });
  }

  #hear(worker: Worker, tell: Tell): void {
    if (worker !== this.#worker) return;
    switch (tell.t) {
      case "reply":
        this.#end(tell.id)?.resolve({ json: tell.json, blob: tell.blob });
        return;
      case "refused":
        this.#end(tell.id)?.reject(JSON.parse(tell.json));
        return;
      case "progress":
        this.#calls.get(tell.id)?.progress?.(JSON.parse(tell.json));
        return;
      case "snapshot":
        this.#show(tell.id, tell.json);
        return;
      case "happening": {
        const happening = JSON.parse(tell.json) as Happening;
        for (const listener of this.#listeners) listener(happening);
        return;
      }
      case "role":
        this.#leader = tell.leader;
        this.#showApp();
        return;
      case "unsupported":
        console.error("the engine cannot run here", tell.json);
        this.#unsupported();
        return;
      case "broken":
        console.error("the engine broke down at", tell.place);
        this.#restart();
        return;
    }
  }

  #end(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #show(id: number, json: string): void {
    const open = this.#open.get(id);
    if (!open) return;
    if (open.topic !== "app") {
      open.onSnapshot(JSON.parse(json));
      return;
    }
    this.#app = JSON.parse(json);
    open.onSnapshot(this.#appState());
  }

  #appState(): AppState {
    return { ...this.#app, leader: this.#leader };
  }

  #showApp(): void {
    for (const open of this.#open.values()) if (open.topic === "app") open.onSnapshot(this.#appState());
  }

  #refuseAll(json: string): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(JSON.parse(json));
  }

  #unsupported(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#app = { ...STARTING, phase: "unsupported" };
    this.#refuseAll(refusal("engine.unsupported", "this browser cannot run the engine"));
    this.#showApp();
  }

  #restart(): void {
    this.#worker?.terminate();
    this.#refuseAll(RESTARTED);
    this.#breakdowns = another(this.#breakdowns, performance.now());
    if (hopeless(this.#breakdowns)) {
      this.#unsupported();
      return;
    }
    this.#app = STARTING;
    this.#showApp();
    this.#begin();
  }
}
