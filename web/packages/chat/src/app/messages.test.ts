import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { alarmSentences, errorSentence, errorSentences, NOT_IN_THE_APP } from "./messages.ts";

const root = join(import.meta.dirname, "../../../../..");

/** Crates whose refusals reach a screen. Codes of other crates are wrapped by these. */
const SOURCES = [
  "client/core/src",
  "client/wasm/src",
  "contexts/directory/src",
  "contexts/files/src",
  "contexts/identity/src",
  "contexts/messaging/src",
  "protocol/trust/src",
];

/** The literals inside `fn code(&self)` of every file below a folder. */
function codesOf(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".rs")) continue;
    const text = readFileSync(join(root, folder, entry), "utf8");
    for (const part of text.split("fn code(&self)").slice(1)) {
      const body = part.slice(0, part.search(/\n {4}\}/));
      for (const match of body.matchAll(/"([a-z_0-9]+\.[a-z_0-9]+)"/g)) if (match[1]) found.push(match[1]);
    }
  }
  return found;
}

/** What the engine's own scripts refuse. */
function codesOfScripts(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts") && !name.includes(".test.") && name !== "protocol.ts")
    .flatMap((name) => [...readFileSync(join(root, folder, name), "utf8").matchAll(/"(engine\.[a-z_]+)"/g)])
    .map((match) => match[1] ?? "");
}

const codes = new Set([...SOURCES.flatMap(codesOf), ...codesOfScripts("web/packages/api/src")]);

test("codes are found at all", () => {
  expect(codes.size).toBeGreaterThan(60);
  for (const known of [
    "identity.wrong_password",
    "client.wrong_pin",
    "engine.bad_card",
    "messaging.not_member",
    "engine.restarted",
  ]) {
    expect(codes).toContain(known);
  }
});

test("every code that an official can meet has a sentence in both languages", () => {
  const missing = [...codes].filter((code) => !errorSentences.has(code) && !(code in NOT_IN_THE_APP));
  expect(missing).toEqual([]);
});

test("nothing is excused that has a sentence or is gone", () => {
  const stale = Object.keys(NOT_IN_THE_APP).filter((code) => errorSentences.has(code) || !codes.has(code));
  expect(stale).toEqual([]);
});

test("every kind of alarm has a sentence", () => {
  const source = readFileSync(join(root, "client/core/src/views/alarm.rs"), "utf8");
  const body = /pub enum AlarmKind \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const kinds = [...body.matchAll(/^ {4}([A-Z]\w+),/gm)].map((match) =>
    (match[1] ?? "").replace(/(?<=.)([A-Z])/g, "_$1").toLowerCase(),
  );
  expect(kinds.length).toBeGreaterThan(10);
  expect([...alarmSentences.keys()].sort()).toEqual(kinds.sort());
});

test("sentences are sentences, and Urdu ones are Urdu", () => {
  for (const { en, ur } of [...errorSentences.values(), ...alarmSentences.values()]) {
    expect(en).toMatch(/^[A-Z].*\.$/);
    expect(en).not.toMatch(/!|please|invalid/i);
    expect(ur).toMatch(/^\p{Script=Arabic}.*۔$/u);
  }
});

test("an unknown code is shown as it is", () => {
  expect(errorSentence("x.y", "en")).toContain("x.y");
  expect(errorSentence("client.wrong_pin", "ur")).toBe("پن غلط ہے۔");
});
