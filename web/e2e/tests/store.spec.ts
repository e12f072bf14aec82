import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";

// `cargo xtask wasm --dev --testing` writes it: the engine with the suite that every store must pass.
const built = resolve(process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../../target"), "wasm-testing");
const PAGE = `<!doctype html><script type="module">
  import init, { run_store_conformance } from "./pakawaaz.js";
  globalThis.pakawaazPanic = (place) => { document.title = "failed: panic at " + place; };
  try {
    await init({ module_or_path: "./pakawaaz_bg.wasm" });
    await run_store_conformance("conformance");
    document.title = "passed";
  } catch (error) {
    document.title = "failed: " + error;
  }
</script>`;
const TYPES: Record<string, string> = { js: "text/javascript", wasm: "application/wasm" };

test("the browser's store passes the suite of every store", async ({ page }) => {
  expect(existsSync(join(built, "pakawaaz.js")), "run `cargo xtask wasm --dev --testing` first").toBe(true);
  await page.route("http://store.localhost/**", (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (!type) return route.fulfill({ contentType: "text/html", body: PAGE });
    return route.fulfill({ contentType: type, body: readFileSync(join(built, name)) });
  });
  await page.goto("http://store.localhost/");
  await expect(page).toHaveTitle(/passed|failed/, { timeout: 60_000 });
  expect(await page.title()).toBe("passed");
});
