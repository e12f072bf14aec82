/** What a browser that has never been here fetches until somebody can enrol, as it came over the wire. */

import { expect, test } from "../support/test.ts";
import { eachWorker } from "./cdp.ts";
import { figure, note } from "./figures.ts";

interface Response {
  requestId: string;
  response: { url: string; headers: Record<string, string>; fromDiskCache?: boolean; fromServiceWorker?: boolean };
}

interface Finished {
  requestId: string;
  encodedDataLength: number;
}

test("bytes of the first load", async ({ demo, browser }) => {
  const person = demo.somebody();
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const seen = new Map<string, { encoding: string; bytes: number }>();
  const listen = (on: (method: string, listener: (params: never) => void) => void) => {
    const open = new Map<string, Response["response"]>();
    on("Network.responseReceived", ({ requestId, response }: Response) => open.set(requestId, response));
    on("Network.loadingFinished", ({ requestId, encodedDataLength }: Finished) => {
      const response = open.get(requestId);
      if (!response || response.fromDiskCache || response.fromServiceWorker) return;
      const header = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-encoding");
      const path = new URL(response.url).pathname;
      // A worker's own script is told by the page and by the worker.
      const bytes = Math.max(encodedDataLength, seen.get(path)?.bytes ?? 0);
      seen.set(path, { encoding: header?.[1] ?? "as it is", bytes });
    });
  };
  const session = await eachWorker(page, async (worker) => {
    listen(worker.on);
    await worker.send("Network.enable");
  });
  listen((method, listener) => session.on(method as "Network.responseReceived", listener as never));
  await session.send("Network.enable");
  await page.goto(`${person.phone}/`);
  await expect(page.getByRole("textbox", { name: "Text of the card" })).toBeVisible();

  const of = (kind: RegExp, yes = true) => [...seen].filter(([path]) => kind.test(path) === yes);
  const total = (files: [string, { bytes: number }][]) => files.reduce((sum, [, { bytes }]) => sum + bytes, 0) / 1000;
  const [fonts, wasm] = [of(/\.woff2$/), of(/\.wasm$/)];
  const rest = of(/\.(?:woff2|wasm)$|^\/v1\//, false);
  expect(wasm.length, "the worker's requests were seen").toBe(1);
  note("First load, never been here, until a card can be pasted: bytes from the server with headers");
  figure(`app without fonts and WASM, ${rest.length} files`, total(rest), "kB", { below: 250 });
  figure(`WASM, ${wasm[0]?.[1].encoding}`, total(wasm), "kB", { below: 700 });
  figure(`fonts of the screen's letters, ${fonts.length} files`, total(fonts), "kB");
  for (const [path, { bytes, encoding }] of rest.sort((a, b) => b[1].bytes - a[1].bytes).slice(0, 8)) {
    console.log(`    ${(bytes / 1000).toFixed(1).padStart(8)} kB ${encoding.padEnd(9)} ${path}`);
  }
  await context.close();
});
