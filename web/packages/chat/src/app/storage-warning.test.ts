import type { LineView } from "@pakawaaz/api/protocol";
import { expect, test } from "vitest";
import { storageWarning } from "./storage-warning.ts";

const some = [{ last: null }, { last: { system: null } as LineView }];
const app = { phase: "ready" as const, storage_persistent: false, storage: { usage: 5, quota: 100 } };

test("nobody is warned before there is something to lose, or when the browser has promised to keep it", () => {
  expect(storageWarning(undefined, some, false, false)).toBe(null);
  expect(storageWarning(app, [], false, false)).toBe(null);
  expect(storageWarning(app, [{ last: null }], false, false)).toBe(null);
  const begun = { last: { system: { what: "created" } } as LineView };
  expect(storageWarning(app, [begun], false, false)).toBe(null);
  expect(storageWarning({ ...app, storage_persistent: true }, some, false, false)).toBe(null);
  expect(storageWarning({ ...app, phase: "logged_out" }, some, false, false)).toBe(null);
});

test("it is said quietly and once", () => {
  expect(storageWarning(app, some, false, false)).toBe("quiet");
  expect(storageWarning(app, some, false, true)).toBe(null);
  expect(storageWarning(app, some, true, false)).toBe(null);
  expect(storageWarning({ ...app, storage: null }, some, true, false)).toBe(null);
});

test("when space runs out it is said again, until it is put aside", () => {
  const full = { ...app, storage: { usage: 81, quota: 100 } };
  expect(storageWarning(full, some, true, false)).toBe("strong");
  expect(storageWarning(full, some, true, true)).toBe(null);
});
