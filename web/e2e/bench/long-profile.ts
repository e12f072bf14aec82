/**
 * A profile with a conversation of a length that no test could type. The rows are written into the origin's own
 * IndexedDB by the same engine with exports for tests (`cargo xtask wasm --testing`), sealed under the profile's key,
 * while the app is closed; the app that then opens them is the shipped one.
 */

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "@playwright/test";
import { PIN } from "../support/phone.ts";

const built = resolve(process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../../target"), "wasm-testing");
const FOLDER = "/bench-engine";
const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };

/** Leaves the page at a blank one of the same origin; gives the id of the conversation and the seconds it took. */
export async function makeLongConversation(
  page: Page,
  origin: string,
  count: number,
): Promise<{ group: string; seconds: number }> {
  if (!existsSync(join(built, "pakawaaz.js"))) throw new Error("run `cargo xtask wasm --testing` first");
  await page.route(`${origin}${FOLDER}/**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(FOLDER.length + 1);
    const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    const body = name === "page.html" ? "<!doctype html><title>measurement</title>" : readFileSync(join(built, name));
    return route.fulfill({ contentType: type, body });
  });
  await page.goto(`${origin}${FOLDER}/page.html`);
  const made = await page.evaluate(
    async ({ folder, pin, count }) => {
      interface Engine {
        default(options: { module_or_path: string }): Promise<unknown>;
        make_long_conversation(pin: string, count: number): Promise<string>;
      }
      const engine = (await import(`${folder}/pakawaaz.js`)) as Engine;
      await engine.default({ module_or_path: `${folder}/pakawaaz_bg.wasm` });
      const began = performance.now();
      const group = await engine.make_long_conversation(pin, count);
      return { group, seconds: (performance.now() - began) / 1000 };
    },
    { folder: FOLDER, pin: PIN, count },
  );
  await page.unroute(`${origin}${FOLDER}/**`);
  return made;
}
