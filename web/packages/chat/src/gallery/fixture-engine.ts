import type {
  AppState,
  Commands,
  Engine,
  EngineError,
  EnrolStep,
  LoginStep,
  Progress,
  Topics,
} from "@pakawaaz/api/protocol";
import {
  alarms,
  appState,
  cards,
  conversations,
  devices,
  id,
  lines,
  members,
  NOW,
  officials,
  sessions,
  transfers,
} from "./fixtures.ts";

/** How a fixture engine differs from "everything is fine". */
export interface Scene {
  app?: Partial<AppState>;
  /** No snapshot ever arrives: screens show their skeletons. */
  loading?: boolean;
  /** Lists are empty. */
  empty?: boolean;
  /** Whether there is a cellular network. */
  network?: boolean;
  /** Every command is refused with this code. */
  refuse?: Partial<EngineError> & { code: string };
  /** Refuse only these commands. */
  refuseOnly?: (keyof Commands)[];
  /** Pause of every step, in milliseconds; `Infinity`: commands never end. */
  pace?: number;
}

type Replies = { [N in keyof Commands]?: (args: Commands[N][0]) => Commands[N][1] };

const LOGIN: LoginStep[] = ["device", "password", "sim", "session"];
const ENROL: EnrolStep[] = ["voucher", "keys", "password", "sim", "certificate", "saved"];

/** An engine without a server, for the gallery and for tests of screens. */
export function fixtureEngine(scene: Scene = {}): Engine {
  let subscriptions = 0;
  const replies: Replies = {
    check_voucher: () => ({
      realm: "demo.gov.pk",
      url: "http://a.raza.localhost:8443",
      kind: "first",
      not_after: NOW + 86_400_000,
      here: true,
    }),
    enrol: () => ({ username: "a.raza", status: "active", code: "45120 83766 19224 51098 77310 02846" }),
    own_code: () => ({ device: id(203), code: "77186 62009 45331 28876 15034 60712" }),
    find: ({ text }) => ({
      officials: scene.empty
        ? []
        : officials.filter((o) => JSON.stringify(o).toLowerCase().includes(text.toLowerCase())),
      next: null,
    }),
    official: ({ official }) =>
      officials.find((o) => o.official === official) ?? (officials[0] as (typeof officials)[0]),
    units: () => ({
      units: [
        { unit: id(601), parent: null, kind: "ministry", name: { en: "Ministry of Interior", ur: "وزارتِ داخلہ" } },
      ],
    }),
    posts: () => ({
      posts: officials.flatMap((o) =>
        o.posts.map((p) => ({
          post: p.post,
          unit: id(601),
          title: p.title,
          grade: p.grade,
          holder: o.official,
          held_since: NOW,
        })),
      ),
    }),
    sessions: () => ({ sessions: scene.empty ? [] : sessions }),
    my_phone: () => {
      const network = scene.network ?? true;
      return { cards: scene.empty ? [] : cards.map((card) => (network ? card : { ...card, phone: null })), network };
    },
    new_conversation: () => ({ group: id(300) }),
    send: () => ({ message: id(999) }),
    search: () => ({
      hits: scene.empty ? [] : lines.filter((l) => l.text).map((l) => ({ group: id(300), line: l })),
      next: null,
      scanned: 1200,
    }),
    message_info: () => ({ delivered: [id(2)], read: [id(2)], waiting: [], sent_at: NOW }),
    attach: () => ({ transfers: [id(401)] }),
    download: () => ({ transfer: id(403) }),
    persist_storage: () => false,
  };
  const snapshots: { [N in keyof Topics]: (args: Topics[N][0]) => Topics[N][1] } = {
    app: () => appState(scene.app),
    conversations: () => (scene.empty ? [] : conversations),
    timeline: ({ group }) => ({
      group,
      lines: scene.empty ? [] : lines,
      older: false,
      newer: false,
      unread_from: lines[6]?.key ?? null,
    }),
    members: () => members,
    devices: () => (scene.empty ? devices.slice(0, 1) : devices),
    alarms: () => (scene.empty ? [] : alarms),
    transfers: () => (scene.empty ? [] : transfers),
    typing: () => (scene.empty ? {} : { [id(300)]: [id(2)] }),
  };

  const pause = (times = 1) =>
    scene.pace === Number.POSITIVE_INFINITY
      ? new Promise<void>(() => {})
      : new Promise<void>((done) => setTimeout(done, (scene.pace ?? 20) * times));

  async function steps(all: (LoginStep | EnrolStep)[], progress: ((p: Progress) => void) | undefined, stopAt: number) {
    for (const [at, step] of all.entries()) {
      progress?.({ step, state: "running" });
      await pause();
      if (at === stopAt) {
        progress?.({ step, state: "refused" });
        return;
      }
      progress?.({ step, state: "done" });
    }
  }

  return {
    async call(name, args, options) {
      const refused = scene.refuse && (!scene.refuseOnly || scene.refuseOnly.includes(name));
      if (name === "login") await steps(LOGIN, options?.progress, refused ? 1 : -1);
      else if (name === "enrol") await steps(ENROL, options?.progress, refused ? 3 : -1);
      else await pause();
      if (refused && scene.refuse) {
        throw { message: "", retry_after_ms: null, ...scene.refuse };
      }
      return (replies[name]?.(args) ?? null) as Commands[typeof name][1];
    },
    download: async () => new Blob(["fixture"], { type: "text/plain" }),
    subscribe(topic, args, onSnapshot) {
      subscriptions += 1;
      const loading = scene.loading && topic !== "app";
      const timer = loading ? undefined : setTimeout(() => onSnapshot(snapshots[topic](args)), 0);
      return { id: subscriptions, close: () => clearTimeout(timer) };
    },
    onHappening: () => () => {},
    reconnect: () => {},
  };
}
