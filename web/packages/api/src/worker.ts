/**
 * The worker of one tab. It leads (loads the engine and runs it for every tab of this origin) while it holds the Web
 * Lock, and passes on what its tab asks while another one does.
 */
import { type Ask, CHANNEL, type Envelope, LEADER_LOCK, RESTARTED, refusal, type Tell, tabLock } from "./messages.ts";
import { type Effect, type Event, start, step } from "./role.ts";
import init, { WasmEngine } from "./wasm/pakawaaz.js";
import module from "./wasm/pakawaaz_bg.wasm?url";

interface Scope {
  postMessage(message: Tell): void;
  onmessage: ((event: MessageEvent<Ask>) => void) | null;
  addEventListener(type: "online" | "offline", listener: () => void): void;
  close(): void;
  /** Called by the engine when it breaks down, with the place only. */
  pakawaazPanic?: (place: string) => void;
}

const scope = globalThis as unknown as Scope;
const me = crypto.randomUUID();
const channel = new BroadcastChannel(CHANNEL);
const state = start(me);
let engine: WasmEngine | null = null;

/** Commands after which the profile may be open or closed. */
const OPENS_OR_CLOSES = new Set(["enrol", "unlock", "lock", "forget"]);

// The engine knows one set of numbers; every tab has its own.
const numbers = new Map<string, number>();
const subscribers = new Map<number, { tab: string; id: number }>();
let next = 1;

function apply(event: Event): void {
  for (const effect of step(state, event)) perform(effect);
}

function perform(effect: Effect): void {
  switch (effect.f) {
    case "tell":
      scope.postMessage(effect.tell);
      return;
    case "send":
      channel.postMessage(effect.envelope);
      return;
    case "load":
      void load(effect.key);
      return;
    case "run":
      run(effect.tab, effect.ask);
      return;
    case "watch":
      // Granted when that worker is gone.
      return void navigator.locks.request(tabLock(effect.tab), () => apply({ e: "gone", tab: effect.tab }));
    case "drop": {
      for (const [number, { tab }] of subscribers) if (tab === effect.tab) unsubscribe(number);
      engine?.tab_gone(effect.tab);
      return;
    }
  }
}

async function load(key: Uint8Array | null): Promise<void> {
  try {
    await init({ module_or_path: module });
    scope.pakawaazPanic = (place) => broken(place);
    engine = await WasmEngine.open(
      (number: number, json: string) => {
        const to = subscribers.get(number);
        if (to) apply({ e: "said", tab: to.tab, tell: { t: "snapshot", id: to.id, json } });
      },
      (json: string) => apply({ e: "happened", json }),
      // The engine wipes what it is given.
      key?.slice(),
    );
    apply({ e: "loaded" });
  } catch (thrown) {
    const text = typeof thrown === "string" ? thrown : refusal("engine.not_loaded", String(thrown));
    apply({ e: "unsupported", json: text });
  }
}

/** A panic leaves the module unusable: everybody with an open call hears of it, and the tab starts another worker. */
function broken(place: string): void {
  for (const [call, tab] of running) apply({ e: "said", tab, tell: { t: "refused", id: call.id, json: RESTARTED } });
  scope.postMessage({ t: "broken", place });
  channel.close();
  scope.close();
}

const running = new Map<Ask & { t: "call" }, string>();

function run(tab: string, ask: Ask): void {
  if (!engine) return;
  switch (ask.t) {
    case "call":
      void call(engine, tab, ask);
      return;
    case "subscribe":
      subscribe(engine, tab, ask);
      return;
    case "unsubscribe": {
      const number = numbers.get(`${tab} ${ask.id}`);
      if (number !== undefined) unsubscribe(number);
      return;
    }
    case "network":
      engine.network_changed();
      return;
  }
}

async function call(engine: WasmEngine, tab: string, ask: Ask & { t: "call" }): Promise<void> {
  running.set(ask, tab);
  let tell: Tell;
  try {
    const progress = (json: string) => apply({ e: "said", tab, tell: { t: "progress", id: ask.id, json } });
    const [json, blob] = (await engine.call(tab, ask.name, own(tab, ask), ask.files ?? [], progress)) as [
      string,
      Blob?,
    ];
    tell = { t: "reply", id: ask.id, json, ...(blob ? { blob } : {}) };
  } catch (thrown) {
    const json = typeof thrown === "string" ? thrown : refusal("engine.failed", "the engine failed");
    tell = { t: "refused", id: ask.id, json };
  }
  running.delete(ask);
  if (OPENS_OR_CLOSES.has(ask.name)) apply({ e: "key", key: engine.vault_key() ?? null });
  apply({ e: "said", tab, tell });
}

/** The arguments, with the engine's number of a subscription in the place of the tab's. */
function own(tab: string, ask: Ask & { t: "call" }): string {
  if (ask.name !== "window") return ask.args;
  const args = JSON.parse(ask.args) as { subscription: number };
  return JSON.stringify({ ...args, subscription: numbers.get(`${tab} ${args.subscription}`) ?? 0 });
}

function subscribe(engine: WasmEngine, tab: string, ask: Ask & { t: "subscribe" }): void {
  const name = `${tab} ${ask.id}`;
  const before = numbers.get(name);
  if (before !== undefined) unsubscribe(before);
  const number = next++;
  numbers.set(name, number);
  subscribers.set(number, { tab, id: ask.id });
  try {
    engine.subscribe(number, ask.topic, ask.args);
  } catch (thrown) {
    unsubscribe(number);
    console.error("subscription refused", ask.topic, thrown);
  }
}

function unsubscribe(number: number): void {
  const to = subscribers.get(number);
  if (!to) return;
  subscribers.delete(number);
  numbers.delete(`${to.tab} ${to.id}`);
  engine?.unsubscribe(number);
}

scope.onmessage = ({ data }) => apply({ e: "asked", ask: data });
for (const change of ["online", "offline"] as const) {
  scope.addEventListener(change, () => engine?.network_changed());
}

// Held while this worker lives: its end tells the leader, who waits for it. Nobody may hear of this worker before it is
// held, or the leader is granted it and takes this tab for gone.
void navigator.locks.request(tabLock(me), () => {
  channel.onmessage = ({ data }: MessageEvent<Envelope>) => apply({ e: "heard", envelope: data });
  apply({ e: "start" });
  // Whoever holds this one leads; the browser hands it on when a tab closes.
  void navigator.locks.request(LEADER_LOCK, () => {
    apply({ e: "locked" });
    return new Promise(() => {});
  });
  return new Promise(() => {});
});
