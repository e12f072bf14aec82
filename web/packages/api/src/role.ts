/**
 * Who runs the engine: one worker of this origin leads, the others pass on what their tabs ask. A pure function from
 * state and event to effects; `worker.ts` does what it says.
 */
import { type Ask, type Between, type Envelope, RESTARTED, type Tell } from "./messages.ts";

export interface State {
  readonly me: string;
  role: "following" | "loading" | "leading";
  /** The worker that leads, as far as heard. */
  leader: string | null;
  /** Own calls on their way at the leader. */
  sent: Set<number>;
  /** Own requests that nobody could take yet. */
  waiting: Ask[];
  subscriptions: Map<number, Ask & { t: "subscribe" }>;
  /** Tabs that the leader serves. */
  followers: Set<string>;
  /** Opens the profile; kept so that the end of one tab does not ask for the PIN in the others. */
  key: Uint8Array | null;
}

export type Event =
  | { e: "start" }
  | { e: "asked"; ask: Ask }
  | { e: "heard"; envelope: Envelope }
  /** This worker holds the lock. */
  | { e: "locked" }
  | { e: "loaded" }
  | { e: "unsupported"; json: string }
  /** The engine says something to a tab. */
  | { e: "said"; tab: string; tell: Tell }
  /** Something happened: for every tab. */
  | { e: "happened"; json: string }
  /** The profile was opened or closed. */
  | { e: "key"; key: Uint8Array | null }
  /** A tab is gone. */
  | { e: "gone"; tab: string };

export type Effect =
  /** To the own tab. */
  | { f: "tell"; tell: Tell }
  | { f: "send"; envelope: Envelope }
  | { f: "load"; key: Uint8Array | null }
  /** For the engine, which runs here. */
  | { f: "run"; tab: string; ask: Ask }
  /** Say `gone` when that tab is. */
  | { f: "watch"; tab: string }
  | { f: "drop"; tab: string };

export function start(me: string): State {
  return {
    me,
    role: "following",
    leader: null,
    sent: new Set(),
    waiting: [],
    subscriptions: new Map(),
    followers: new Set(),
    key: null,
  };
}

/** What follows from an event. Changes `state`. */
export function step(state: State, event: Event): Effect[] {
  switch (event.e) {
    case "start":
      return [send(state, null, { t: "hello" }), { f: "tell", tell: { t: "role", leader: false } }];
    case "asked":
      return asked(state, event.ask);
    case "heard":
      return heard(state, event.envelope);
    case "locked":
      state.role = "loading";
      state.leader = state.me;
      return [...lost(state), { f: "load", key: state.key }];
    case "loaded":
      state.role = "leading";
      return [send(state, null, { t: "leader" }), { f: "tell", tell: { t: "role", leader: true } }, ...resume(state)];
    case "unsupported":
      return [{ f: "tell", tell: { t: "unsupported", json: event.json } }];
    case "said":
      return [say(state, event.tab, event.tell)];
    case "happened":
      return [
        { f: "tell", tell: { t: "happening", json: event.json } },
        send(state, null, { t: "happening", json: event.json }),
      ];
    case "key":
      state.key = event.key;
      return [send(state, null, { t: "key", key: event.key })];
    case "gone":
      state.followers.delete(event.tab);
      return [{ f: "drop", tab: event.tab }];
  }
}

function send(state: State, to: string | null, message: Between): Effect {
  return { f: "send", envelope: { from: state.me, to, message } };
}

function say(state: State, tab: string, tell: Tell): Effect {
  return tab === state.me ? { f: "tell", tell } : send(state, tab, tell);
}

function asked(state: State, ask: Ask): Effect[] {
  if (ask.t === "subscribe") state.subscriptions.set(ask.id, ask);
  if (ask.t === "unsubscribe") state.subscriptions.delete(ask.id);
  if (state.role === "leading") return [{ f: "run", tab: state.me, ask }];
  // Subscriptions are repeated when there is somebody to hear them; that the network changed is old news by then.
  if (state.role === "loading" || state.leader === null) {
    if (ask.t === "call") state.waiting.push(ask);
    return [];
  }
  if (ask.t === "call") state.sent.add(ask.id);
  return [send(state, state.leader, ask)];
}

/** The leader is gone: what it had taken may or may not have been done. */
function lost(state: State): Effect[] {
  const calls = [...state.sent];
  state.sent.clear();
  return calls.map((id) => ({ f: "tell", tell: { t: "refused", id, json: RESTARTED } }));
}

/** There is a leader again: everything it has to know. */
function resume(state: State): Effect[] {
  const waiting = state.waiting;
  state.waiting = [];
  return [...state.subscriptions.values(), ...waiting].flatMap((ask) => asked(state, ask));
}

function heard(state: State, { from, to, message }: Envelope): Effect[] {
  if (from === state.me || (to !== null && to !== state.me)) return [];
  const leads = state.role === "leading";
  switch (message.t) {
    case "hello": {
      // A leader that still loads will say so to everybody.
      if (!leads) return [];
      const key: Effect[] = state.key ? [send(state, from, { t: "key", key: state.key })] : [];
      return [send(state, from, { t: "leader" }), ...key, ...follow(state, from)];
    }
    case "leader": {
      if (state.role !== "following" || state.leader === from) return [];
      const refused = lost(state);
      state.leader = from;
      return [...refused, ...resume(state)];
    }
    case "key":
      state.key = message.key;
      return [];
    case "call":
    case "subscribe":
    case "unsubscribe":
    case "network":
      return leads ? [...follow(state, from), { f: "run", tab: from, ask: message }] : [];
    case "reply":
    case "refused":
      state.sent.delete(message.id);
      return [{ f: "tell", tell: message }];
    case "role":
    case "unsupported":
    case "broken":
      return [];
    default:
      return [{ f: "tell", tell: message }];
  }
}

function follow(state: State, tab: string): Effect[] {
  if (state.followers.has(tab)) return [];
  state.followers.add(tab);
  return [{ f: "watch", tab }];
}
