/** The demo as a process of its own: the real server, real officials who answer, and the desk that hands out phones. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "../../..");
const programs = resolve(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");
const READY_WITHIN_MS = 240_000;

export interface Person {
  username: string;
  name: { en: string; ur: string };
  title: { en: string; ur: string };
  /** Origin of the first phone. */
  phone: string;
  /** Answers by itself. */
  played: boolean;
  suggested: boolean;
}

export interface Card {
  card: string;
  voucher: string;
  /** Origin of the phone it is for. */
  phone: string;
  device: number;
}

/** The built app. */
export const built = process.env.PAKAWAAZ_WEB ?? join(root, "web/packages/chat/dist");

export class Demo {
  private taken = 0;
  private constructor(
    private child: ChildProcess,
    readonly state: string,
    public desk: string,
    readonly people: Person[],
  ) {}

  static async start(): Promise<Demo> {
    const state = mkdtempSync(join(tmpdir(), "pakawaaz-e2e-"));
    const { child, desk } = await Demo.run(state, built);
    const { people } = (await (await fetch(`${desk}/people`)).json()) as { people: Person[] };
    return new Demo(child, state, desk, people);
  }

  private static async run(state: string, web: string): Promise<{ child: ChildProcess; desk: string }> {
    const child = spawn(join(programs, "pakawaaz-demo"), ["--small", "--no-browser", "--state", state, "--web", web], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const seen: string[] = [];
    const desk = await new Promise<string>((ready, failed) => {
      const patience = setTimeout(
        () => failed(new Error(`the demo is not ready:\n${seen.join("\n")}`)),
        READY_WITHIN_MS,
      );
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        seen.push(line);
        const address = /^desk (http:\/\/\S+)$/.exec(line)?.[1];
        if (address) {
          clearTimeout(patience);
          ready(address);
        }
      });
      child.once("exit", () => {
        clearTimeout(patience);
        failed(new Error(`the demo ended:\n${seen.join("\n")}`));
      });
    });
    return { child, desk };
  }

  /** The server, and everybody who answers, are gone until `up`. */
  async down(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((done) => this.child.once("exit", done));
    this.child.kill("SIGTERM");
    await ended;
  }

  /** They come back at the same address, the server with the app in `web`. */
  async up(web = built): Promise<void> {
    await this.down();
    const { child, desk } = await Demo.run(this.state, web);
    this.child = child;
    this.desk = desk;
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.state, { recursive: true, force: true });
  }

  /** An official without any device whom no other test uses. */
  somebody(): Person {
    // The suggested one has a test of their own.
    const free = this.people.filter((p) => !p.played && !p.suggested);
    const person = free[this.taken++];
    if (!person) throw new Error("the small demo has no more officials without a phone");
    return person;
  }

  /** Who answers by itself. */
  answering(): Person {
    const person = this.people.find((p) => p.played && p.title.en === "Assistant");
    if (!person) throw new Error("nobody answers");
    return person;
  }

  /** Whose terminal profile nobody uses. */
  terminal(): Person {
    const officers = this.people.filter((p) => p.played && p.title.en === "Section Officer");
    const person = officers[1];
    if (!person) throw new Error("no second section officer");
    return person;
  }

  private async wish<T>(person: Person, what: string): Promise<T> {
    const answer = await fetch(`${this.desk}/people/${person.username}/${what}`, {
      method: "POST",
      headers: { "pakawaaz-desk": "1" },
    });
    const body = (await answer.json()) as T & { error?: string };
    if (!answer.ok) throw new Error(`the desk refused ${what}: ${body.error}`);
    return body;
  }

  card(person: Person): Promise<Card> {
    return this.wish(person, "card");
  }
  passwordVoucher(person: Person): Promise<{ voucher: string }> {
    return this.wish(person, "password");
  }
  revokeNewest(person: Person): Promise<unknown> {
    return this.wish(person, "revoke");
  }
  /** An administrator writes them a hundred and fifty messages. */
  letters(person: Person): Promise<{ letters: number }> {
    return this.wish(person, "letters");
  }
  suspend(person: Person): Promise<unknown> {
    return this.wish(person, "suspend");
  }
  restore(person: Person): Promise<unknown> {
    return this.wish(person, "restore");
  }

  /** The terminal client as somebody of the demo; gives standard output. */
  cli(person: Person, ...args: string[]): Promise<string> {
    const profile = join(this.state, "profiles", person.username);
    const all = [
      "--profile",
      profile,
      "--pin-file",
      `${profile}.pin`,
      "--password-file",
      `${profile}.password`,
      ...args,
    ];
    return new Promise((done, failed) => {
      execFile(join(programs, "pakawaaz"), all, { timeout: 120_000 }, (error, out, err) => {
        if (error) failed(new Error(`pakawaaz ${args.join(" ")}: ${err || error.message}`));
        else done(out);
      });
    });
  }
}
