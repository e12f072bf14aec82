import type { Scene } from "./fixture-engine.ts";

/** States of the whole app, by name: for the gallery, for pictures and for accessibility tests. */
export const scenes: Record<string, Scene> = {
  ready: {},
  loading: { loading: true },
  empty: { empty: true },
  offline: {
    app: { connection: "offline", retry_in_ms: 8_000, queued: 2, caught_up: false },
    refuse: { code: "client.unreachable" },
  },
  refusing: { refuse: { code: "identity.busy" } },
  fragile: { app: { storage_persistent: false } },
  full: { app: { storage_persistent: false, storage: { usage: 950_000_000, quota: 1_000_000_000 } } },
  starting: { app: { phase: "starting" } },
  unsupported: { app: { phase: "unsupported" } },
  enrol: { app: { phase: "empty", me: null }, pace: 400 },
  "enrol-refused": {
    app: { phase: "empty", me: null },
    refuse: { code: "identity.sim_unavailable" },
    refuseOnly: ["enrol"],
  },
  "enrol-bad-voucher": { app: { phase: "empty", me: null }, refuse: { code: "trust.malformed" } },
  locked: { app: { phase: "locked", me: null } },
  "locked-wrong": { app: { phase: "locked", me: null }, refuse: { code: "client.wrong_pin", retry_after_ms: 30_000 } },
  login: { app: { phase: "logged_out" }, pace: 700 },
  "login-refused": {
    app: { phase: "logged_out" },
    refuse: { code: "identity.wrong_password", retry_after_ms: 45_000 },
  },
  waiting: { app: { phase: "waiting_approval" } },
  suspended: { app: { phase: "suspended" } },
  "login-suspended": { app: { phase: "suspended" }, refuse: { code: "identity.suspended" } },
  "no-network": { network: false },
  "cut-off": { app: { phase: "cut_off" } },
};
