// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { press, show, staged, until } from "../testing/show.tsx";

const WORDS = "The browser has not promised to keep your messages.";
const KEY = "pakawaaz.preferences";
const fragile = () => staged({ storage_persistent: false }, { persist_storage: () => false }).engine;

let close = () => {};
beforeEach(() => localStorage.setItem(KEY, JSON.stringify({ language: "en", assuranceSeen: true })));
afterEach(() => close());

async function open(path: string) {
  const shown = show(fragile(), path);
  close = shown.close;
  await until(shown.page, () => shown.page.querySelector("main#main h1, main#main h2"));
  return shown.page;
}

test("the word about storage stands below the list of conversations, and over nothing else", async () => {
  const page = await open("/");
  await until(page, () => page.textContent?.includes(WORDS));
  expect(page.querySelector("main#main")?.textContent).toContain(WORDS);
  close();
  for (const path of ["/find", "/devices", "/settings/account"]) {
    const other = await open(path);
    await new Promise((done) => setTimeout(done, 100));
    expect(other.textContent, path).not.toContain(WORDS);
    close();
  }
});

test("it is closed once and for all", async () => {
  const page = await open("/");
  await until(page, () => page.textContent?.includes(WORDS));
  press(page, "Close");
  await until(page, () => !page.textContent?.includes(WORDS));
  expect(JSON.parse(localStorage.getItem(KEY) ?? "{}")).toMatchObject({ evictionSeen: true });
  close();
  const again = await open("/");
  await new Promise((done) => setTimeout(done, 100));
  expect(again.textContent).not.toContain(WORDS);
});
