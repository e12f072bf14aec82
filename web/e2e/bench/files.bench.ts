/**
 * One large file from one phone to another: how fast, and what memory it takes.
 * `PAKAWAAZ_BENCH_MIB=2048 cargo xtask bench-web files` takes the largest that the protocol knows; 256 MiB otherwise.
 * The profiles lie on a disk: those of ordinary tests keep everything in memory. The server is the demo's debug build.
 * Nobody watches the browsers meanwhile (`unwatched.ts`).
 */

import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Phone } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";
import { figure, note } from "./figures.ts";
import { largestRenderer } from "./processes.ts";
import { Unwatched } from "./unwatched.ts";

const mib = Number(process.env.PAKAWAAZ_BENCH_MIB ?? 256);
const bytes = mib * 1024 ** 2;
/** Slower than anything that is still worth measuring. */
const patience = 120_000 + mib * 1_000;

/** Bytes that do not repeat within a chunk. */
function make(path: string) {
  const block = Buffer.alloc(1024 ** 2);
  for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
  const file = openSync(path, "w");
  for (let part = 0; part < mib; part++) {
    block.writeUInt32LE(part, 0);
    writeSync(file, block);
  }
}

async function hash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest("hex");
}

/** Runs something; gives its seconds, and the most memory that the largest page had meanwhile. */
async function measured(work: () => Promise<void>): Promise<{ seconds: number; peak: number }> {
  let peak = largestRenderer();
  const look = setInterval(() => {
    peak = Math.max(peak, largestRenderer());
  }, 200);
  const began = performance.now();
  await work();
  clearInterval(look);
  return { seconds: (performance.now() - began) / 1000, peak };
}

test("a large file up and down", async ({ demo }) => {
  test.setTimeout(4 * patience);
  const folder = mkdtempSync(join(tmpdir(), "pakawaaz-bench-"));
  const [first, second] = [demo.somebody(), demo.somebody()];
  const [path, saved] = [join(folder, "large.bin"), join(folder, "saved")];
  make(path);
  mkdirSync(saved);
  const sender = await Unwatched.launch(join(folder, "asma"));
  const receiver = await Unwatched.launch(join(folder, "bilal"));
  try {
    const asma = await Phone.ready(sender.browser, demo, first);
    const bilal = await Phone.ready(receiver.browser, demo, second);
    await asma.writeTo(second);
    const sending = await sender.leave(asma.origin);
    const before = largestRenderer();
    await sending.choose(path);
    const up = await measured(async () => {
      await sending.press('button[aria-label="Send"]');
      await sending.until('document.querySelector("article")?.textContent.includes("large.bin")', patience);
    });
    await bilal.openChat(first.name.en);
    await expect(bilal.message("large.bin")).toBeVisible({ timeout: 60_000 });
    const fetching = await receiver.leave(bilal.origin);
    await fetching.saveTo(saved);
    const down = await measured(async () => {
      // The first button of a message with a file that is not shown saves it.
      await fetching.press("article button");
      await expect.poll(() => readdirSync(saved), { timeout: patience, intervals: [50] }).toEqual(["large.bin"]);
    });
    const copy = join(saved, "large.bin");
    await expect.poll(() => statSync(copy).size).toBe(bytes);
    expect(await hash(copy)).toBe(await hash(path));
    const megabytes = bytes / 1e6;
    note(`A file of ${mib} MiB between two browsers on this machine, over loopback, with the server and its disk`);
    figure("up: encrypted, kept, sent, durable at the server", megabytes / up.seconds, "MB/s");
    figure("down: fetched, kept, opened, verified whole, handed over", megabytes / down.seconds, "MB/s");
    figure("memory of the largest page before", before / 1e6, "MB");
    figure("memory of the largest page, peak while sending", up.peak / 1e6, "MB");
    figure("memory of the largest page, peak while fetching", down.peak / 1e6, "MB");
  } finally {
    await sender.close();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
