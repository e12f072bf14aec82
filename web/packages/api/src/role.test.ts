import { expect, test } from "vitest";
import type { Ask, Envelope } from "./messages.ts";
import { type Effect, type Event, type State, start, step } from "./role.ts";

const call = (id: number): Ask => ({ t: "call", id, name: "send", args: "{}" });
const subscribe = (id: number): Ask => ({ t: "subscribe", id, topic: "app", args: "{}" });
const key = new Uint8Array([1, 2, 3]);

/** Several workers on one channel; effects are delivered at once. */
class Origin {
  readonly workers = new Map<string, State>();
  readonly ran: { by: string; tab: string; ask: Ask }[] = [];
  readonly told: { tab: string; tell: { t: string; id?: number } }[] = [];
  readonly loads: { by: string; key: Uint8Array | null }[] = [];

  open(name: string): void {
    this.workers.set(name, start(name));
    this.do(name, { e: "start" });
  }
  close(name: string): void {
    this.workers.delete(name);
  }
  do(name: string, event: Event): void {
    const state = this.workers.get(name);
    if (state) for (const effect of step(state, event)) this.perform(name, effect);
  }
  private perform(by: string, effect: Effect): void {
    if (effect.f === "send") this.send(effect.envelope);
    if (effect.f === "run") this.ran.push({ by, tab: effect.tab, ask: effect.ask });
    if (effect.f === "tell") this.told.push({ tab: by, tell: effect.tell });
    if (effect.f === "load") this.loads.push({ by, key: effect.key });
  }
  private send(envelope: Envelope): void {
    for (const name of this.workers.keys()) if (name !== envelope.from) this.do(name, { e: "heard", envelope });
  }
  lead(name: string): void {
    this.do(name, { e: "locked" });
    this.do(name, { e: "loaded" });
  }
}

test("a tab alone leads, and what it asked while loading is done once, in order", () => {
  const origin = new Origin();
  origin.open("a");
  origin.do("a", { e: "asked", ask: subscribe(1) });
  origin.do("a", { e: "asked", ask: call(2) });
  origin.do("a", { e: "locked" });
  origin.do("a", { e: "asked", ask: call(3) });
  expect(origin.ran).toEqual([]);
  origin.do("a", { e: "loaded" });
  expect(origin.ran.map((r) => "id" in r.ask && r.ask.id)).toEqual([1, 2, 3]);
});

test("a second tab follows: the leader runs what it asks, and answers reach only it", () => {
  const origin = new Origin();
  origin.open("a");
  origin.lead("a");
  origin.open("b");
  origin.do("b", { e: "asked", ask: call(7) });
  expect(origin.ran).toEqual([{ by: "a", tab: "b", ask: call(7) }]);
  origin.do("a", { e: "said", tab: "b", tell: { t: "reply", id: 7, json: "null" } });
  expect(origin.told.filter((t) => t.tell.t === "reply")).toEqual([
    { tab: "b", tell: { t: "reply", id: 7, json: "null" } },
  ]);
});

test("when the leader goes, open calls are refused, subscriptions go on, and nobody types the PIN again", () => {
  const origin = new Origin();
  origin.open("a");
  origin.lead("a");
  origin.open("b");
  origin.open("c");
  origin.do("b", { e: "asked", ask: subscribe(1) });
  origin.do("c", { e: "asked", ask: subscribe(1) });
  origin.do("a", { e: "key", key });
  origin.do("b", { e: "asked", ask: call(2) });
  origin.do("c", { e: "asked", ask: call(9) });
  origin.close("a");
  origin.ran.length = 0;
  origin.lead("b");
  expect(origin.loads.at(-1)).toEqual({ by: "b", key });
  const refused = origin.told.filter((t) => t.tell.t === "refused").map((t) => [t.tab, t.tell.id]);
  expect(refused).toEqual([
    ["b", 2],
    ["c", 9],
  ]);
  expect(origin.ran.map((r) => [r.by, r.tab, r.ask.t])).toEqual([
    ["b", "c", "subscribe"],
    ["b", "b", "subscribe"],
  ]);
});

test("a lock reaches every tab: no key is left behind", () => {
  const origin = new Origin();
  origin.open("a");
  origin.lead("a");
  origin.open("b");
  origin.do("a", { e: "key", key });
  expect(origin.workers.get("b")?.key).toEqual(key);
  origin.do("a", { e: "key", key: null });
  expect(origin.workers.get("b")?.key).toBeNull();
});

test("a tab that comes later is given the key, and one that went is forgotten", () => {
  const origin = new Origin();
  origin.open("a");
  origin.lead("a");
  origin.do("a", { e: "key", key });
  origin.open("b");
  expect(origin.workers.get("b")?.key).toEqual(key);
  expect(origin.workers.get("a")?.followers).toEqual(new Set(["b"]));
  origin.do("a", { e: "gone", tab: "b" });
  expect(origin.workers.get("a")?.followers.size).toBe(0);
});

test("the same leader saying so twice refuses nothing", () => {
  const origin = new Origin();
  origin.open("a");
  origin.lead("a");
  origin.open("b");
  origin.do("b", { e: "asked", ask: call(1) });
  origin.do("b", { e: "heard", envelope: { from: "a", to: null, message: { t: "leader" } } });
  expect(origin.told.some((t) => t.tell.t === "refused")).toBe(false);
});

test("messages for somebody else are not heard", () => {
  const state = start("b");
  expect(step(state, { e: "heard", envelope: { from: "a", to: "c", message: { t: "leader" } } })).toEqual([]);
  expect(state.leader).toBeNull();
});
