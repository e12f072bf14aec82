// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { press, show, staged, until } from "../testing/show.tsx";

const WORDS = "The browser has not promised to keep your messages.";
const KEY = "pakawaaz.preferences";
const fragile = () => staged({ storage_persistent: false }, { persist_storage: () => false }).engine;
const LOUD = "Space is running out, and the browser may delete your messages.";
const full = () =>
  staged({ storage_persistent: false, storage: { usage: 9, quota: 10 } }, { persist_storage: () => false }).engine;

let close = () => {};
beforeEach(() => localStorage.setItem(KEY, JSON.stringify({ language: "en", assuranceSeen: true })));
afterEach(() => close());

async function open(path: string, engine = fragile()) {
  const shown = show(engine, path);
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

test("when space runs out that stands below the list as well, over nothing else, until it is put aside", async () => {
  for (const path of ["/find", "/devices", "/settings/account"]) {
    const other = await open(path, full());
    await new Promise((done) => setTimeout(done, 100));
    expect(other.textContent, path).not.toContain(LOUD);
    close();
  }
  const page = await open("/", full());
  await until(page, () => page.textContent?.includes(LOUD));
  expect(page.querySelector("main#main")?.textContent).toContain(LOUD);
  press(page, "Close");
  await until(page, () => !page.textContent?.includes(LOUD));
  press(page, "Settings");
  await until(page, () => page.textContent?.includes("Language and appearance"));
  page.querySelector<HTMLElement>('nav a[href="/"]')?.click();
  await until(page, () => page.textContent?.includes("Conversations"));
  await new Promise((done) => setTimeout(done, 100));
  expect(page.textContent).not.toContain(LOUD);
});

test("the settings go on saying it after it was put aside", async () => {
  localStorage.setItem(KEY, JSON.stringify({ language: "en", assuranceSeen: true, evictionSeen: true }));
  const page = await open("/settings/storage");
  await until(page, () => page.textContent?.includes("The browser may delete your messages"));
  expect(page.textContent).toContain("Ask it to keep them");
});
