/** What Playwright does not pass on of the DevTools protocol: the workers of a page as targets of their own. */

import type { CDPSession, Page } from "@playwright/test";

/** A worker, while it lives. */
export interface WorkerTarget {
  send<T>(method: string, params?: object): Promise<T>;
  on(method: string, listener: (params: never) => void): void;
}

interface Attached {
  sessionId: string;
  targetInfo: { type: string };
}

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

/** Calls `started` for every worker of the page before it runs; it goes on when `started` is done. */
export async function eachWorker(page: Page, started: (worker: WorkerTarget) => Promise<void>): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  const open = new Map<string, (message: Message) => void>();
  session.on("Target.receivedMessageFromTarget", ({ sessionId, message }) =>
    open.get(sessionId)?.(JSON.parse(message) as Message),
  );
  session.on("Target.attachedToTarget", ({ sessionId, targetInfo }: Attached) => {
    if (targetInfo.type !== "worker") return;
    const waiting = new Map<number, { done(value: unknown): void; failed(error: Error): void }>();
    const listeners = new Map<string, ((params: never) => void)[]>();
    let last = 0;
    open.set(sessionId, ({ id, method, params, result, error }) => {
      if (method) for (const listener of listeners.get(method) ?? []) listener(params as never);
      const call = waiting.get(id ?? 0);
      waiting.delete(id ?? 0);
      if (error) call?.failed(new Error(error.message));
      else call?.done(result);
    });
    const worker: WorkerTarget = {
      send: <T>(method: string, params: object = {}) =>
        new Promise<T>((done, failed) => {
          last += 1;
          waiting.set(last, { done: (value) => done(value as T), failed });
          const message = JSON.stringify({ id: last, method, params });
          session.send("Target.sendMessageToTarget", { sessionId, message }).catch(failed);
        }),
      on: (method, listener) => void listeners.set(method, [...(listeners.get(method) ?? []), listener]),
    };
    void started(worker).finally(() => worker.send("Runtime.runIfWaitingForDebugger").catch(() => {}));
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: false });
  return session;
}
