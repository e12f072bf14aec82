import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { beforeReload, reload } from "./reload.ts";

const anew = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { reload: anew });
  anew.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a draft is written before the tab loads itself anew", async () => {
  let written = () => {};
  const forget = beforeReload(() => new Promise<void>((done) => (written = done)));
  const refused = beforeReload(() => Promise.reject(new Error("locked")));
  const done = reload();
  await vi.advanceTimersByTimeAsync(100);
  expect(anew).not.toHaveBeenCalled();
  written();
  await done;
  expect(anew).toHaveBeenCalledOnce();
  forget();
  refused();
});

test("an engine that does not answer holds nothing back for long, and who is gone is not waited for", async () => {
  const forget = beforeReload(() => new Promise(() => {}));
  void reload();
  await vi.advanceTimersByTimeAsync(1_900);
  expect(anew).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(anew).toHaveBeenCalledOnce();
  forget();
  await reload();
  expect(anew).toHaveBeenCalledTimes(2);
});
