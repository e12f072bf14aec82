/** Prints what a first visit loads, and fails over the budget. Fonts and WASM have budgets of their own. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { filesBelow } from "./bundle-list.ts";

const dist = join(import.meta.dirname, "../packages/chat/dist");
const FIRST_LOAD = 250_000;

const files = await filesBelow(dist);
const compressed = async (path: string) =>
  (await stat(join(dist, existsSync(join(dist, `${path}.br`)) ? `${path}.br` : path))).size;

/** Everything that the page and its scripts name, dynamic imports of the language included, from index.html on. */
async function firstLoad(): Promise<string[]> {
  const reached = new Set<string>();
  const pending = ["index.html"];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const text = await readFile(join(dist, path), "utf8");
    if (path.endsWith(".html")) {
      for (const [, found] of text.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|svg|webmanifest))"/g))
        if (found) pending.push(found);
    } else if (path.endsWith(".js")) {
      // Static imports only: what is imported on demand is not part of the first load.
      for (const [, found] of text.matchAll(
        /(?:^|[;}\s])(?:import|export)\s*(?:[\w*{][^;"']*?from\s*)?["']\.\/([^"']+\.js)["']/g,
      )) {
        if (found) pending.push(`assets/${found}`);
      }
    }
  }
  // One catalogue is always needed, and the worker always starts.
  const catalogue = files.filter((path) => /assets\/(?:en|ur)-[\w-]+\.js$/.test(path));
  const sized = await Promise.all(catalogue.map(async (path) => [path, await compressed(path)] as const));
  const largest = sized.sort((a, b) => b[1] - a[1])[0];
  if (largest) reached.add(largest[0]);
  for (const path of files) if (/worker[\w-]*\.js$/.test(path)) reached.add(path);
  return [...reached];
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1).padStart(8)} kB`;
let total = 0;
for (const path of await firstLoad()) {
  const size = await compressed(path);
  total += size;
  console.log(`${kilobytes(size)}  ${path}`);
}
console.log(`${kilobytes(total)}  first load (brotli), of ${FIRST_LOAD / 1000} kB`);
let wasm = 0;
for (const path of files.filter((each) => each.endsWith(".wasm"))) wasm += await compressed(path);
console.log(`${kilobytes(wasm)}  WASM (brotli; the suite wasm holds the shipped module to its budget)`);
let fonts = 0;
for (const path of files.filter((each) => each.endsWith(".woff2"))) fonts += await compressed(path);
console.log(`${kilobytes(fonts)}  fonts, each loaded when its letters appear`);
if (total > FIRST_LOAD) {
  console.error("over the budget");
  process.exit(1);
}
