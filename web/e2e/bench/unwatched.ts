/**
 * A browser that nobody watches while it is measured. Playwright has DevTools record every request of a page and of its
 * workers, bodies included: a gigabyte that was sent stays in the page's memory, and sending it takes several times as
 * long. So Playwright prepares a page and lets go of the browser; what is measured is done over a bare connection.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, expect } from "@playwright/test";
import { executable, switches } from "../support/browser.ts";

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
  sessionId?: string;
}

/** The DevTools protocol, and of it only what is asked for. */
class Wire {
  private last = 0;
  private readonly calls = new Map<number, { done(value: unknown): void; failed(error: Error): void }>();
  private readonly listeners = new Map<string, (params: unknown) => void>();
  private constructor(private readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => {
      const { id, method, params, result, error, sessionId } = JSON.parse(String(data)) as Message;
      if (method) this.listeners.get(`${sessionId ?? ""} ${method}`)?.(params);
      const call = this.calls.get(id ?? 0);
      this.calls.delete(id ?? 0);
      if (error) call?.failed(new Error(error.message));
      else call?.done(result);
    };
  }

  static open(address: string): Promise<Wire> {
    const socket = new WebSocket(address);
    return new Promise((opened, failed) => {
      socket.onopen = () => opened(new Wire(socket));
      socket.onerror = () => failed(new Error("no connection to the browser"));
    });
  }

  on(session: string, method: string, listener: (params: unknown) => void) {
    this.listeners.set(`${session} ${method}`, listener);
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    this.last += 1;
    const id = this.last;
    return new Promise((done, failed) => {
      this.calls.set(id, { done: (value) => done(value as T), failed });
      this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  }

  close() {
    this.socket.close();
  }
}

/** A browser with its profile in a folder, as a process of our own. */
export class Unwatched {
  private constructor(
    private readonly process: ChildProcess,
    readonly folder: string,
    private readonly address: string,
    private readonly watched: Browser,
  ) {}

  static async launch(folder: string): Promise<Unwatched> {
    const more = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "--window-size=390,844"];
    const child = spawn(executable, [...switches, ...more, "--no-first-run", "about:blank"], { stdio: "ignore" });
    const port = join(folder, "DevToolsActivePort");
    let address = "";
    await expect(() => {
      const [number, path] = readFileSync(port, "utf8").split("\n");
      address = `ws://127.0.0.1:${number}${path}`;
      expect(path).toBeTruthy();
    }).toPass({ timeout: 30_000 });
    return new Unwatched(child, folder, address, await chromium.connectOverCDP(address));
  }

  /** For a `Phone`: its one context is the profile. */
  get browser(): Browser {
    const newContext = async () => this.watched.contexts()[0];
    return { newContext } as unknown as Browser;
  }

  /** Playwright lets go; the page at this origin is there for bare hands. */
  async leave(origin: string): Promise<Bare> {
    await this.watched.close();
    const wire = await Wire.open(this.address);
    const { targetInfos } = await wire.send<{ targetInfos: { targetId: string; type: string; url: string }[] }>(
      "Target.getTargets",
    );
    const target = targetInfos.find(({ type, url }) => type === "page" && url.startsWith(origin));
    if (!target) throw new Error(`no page of ${origin}`);
    const attach = { targetId: target.targetId, flatten: true };
    const { sessionId } = await wire.send<{ sessionId: string }>("Target.attachToTarget", attach);
    return new Bare(wire, sessionId);
  }

  async close() {
    await this.watched.close().catch(() => {});
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
  }
}

/** What can be done with a page that nobody watches: little. */
export class Bare {
  constructor(
    readonly wire: Wire,
    readonly session: string,
  ) {}

  private send<T>(method: string, params: object = {}): Promise<T> {
    return this.wire.send<T>(method, params, this.session);
  }

  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send<{ result: { value: T }; exceptionDetails?: unknown }>(
      "Runtime.evaluate",
      asked,
    );
    if (exceptionDetails) throw new Error(`the page refused: ${JSON.stringify(exceptionDetails).slice(0, 300)}`);
    return result.value;
  }

  /** Waits until an expression holds in the page. */
  async until(expression: string, timeout = 30_000): Promise<void> {
    const options = { timeout, intervals: [100, 100, 250, 500] };
    await expect.poll(() => this.evaluate<boolean>(`Boolean(${expression})`), options).toBe(true);
  }

  /** Presses the first thing that a selector finds, once it is there. */
  async press(selector: string): Promise<void> {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(found);
    await this.evaluate(`${found}.click()`);
  }

  /** Chooses a file in the first field for files. */
  async choose(path: string): Promise<void> {
    const { root } = await this.send<{ root: { nodeId: number } }>("DOM.getDocument");
    const wanted = { nodeId: root.nodeId, selector: "input[type=file]" };
    const { nodeId } = await this.send<{ nodeId: number }>("DOM.querySelector", wanted);
    await this.send("DOM.setFileInputFiles", { files: [path], nodeId });
  }

  /** What the page saves goes to this folder. */
  async saveTo(downloadPath: string): Promise<void> {
    await this.wire.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath });
  }
}
