import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { Download, Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A PNG of one colour, made here so that no picture lies in the repository. */
function picture(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const sized = Buffer.alloc(8 + body.length);
    sized.writeUInt32BE(data.length, 0);
    body.copy(sized, 4);
    sized.writeUInt32BE(crc32(body), 4 + body.length);
    return sized;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(
    Array.from({ length: height }, () => Buffer.from([0, ...Array(width).fill([11, 107, 79]).flat()])),
  );
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

test("a picture and a document go from one phone to another, whole", async ({ demo, phones }) => {
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first);
  const bilal = await phones.ready(second);
  await asma.writeTo(second);
  const document = randomBytes(3 * 1024 * 1024 + 17);
  await asma.page
    .locator("input[type=file]")
    .first()
    .setInputFiles([
      { name: "site plan.png", mimeType: "image/png", buffer: picture(320, 200) },
      { name: "figures.bin", mimeType: "application/octet-stream", buffer: document },
    ]);
  await asma.page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(asma.message("figures.bin")).toBeVisible({ timeout: 60_000 });
  await bilal.openChat(first.name.en);
  await expect(bilal.page.getByRole("button", { name: /Open photo site plan\.png/ })).toBeVisible({ timeout: 60_000 });
  const saving = bilal.page.waitForEvent("download");
  await bilal.page.getByRole("button", { name: "Save figures.bin" }).click();
  const path = join(tmpdir(), `pakawaaz-e2e-${process.pid}.bin`);
  await (await saving).saveAs(path);
  expect(hash(readFileSync(path))).toBe(hash(document));
  await bilal.page.getByRole("button", { name: /Open photo site plan\.png/ }).click();
  await expect(bilal.page.getByRole("dialog").locator("img")).toBeVisible();
});

/** A file on the disk for as long as `work` takes. */
async function withFile(size: number, work: (path: string, name: string, bytes: Buffer) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "pakawaaz-e2e-"));
  const [name, bytes] = ["figures.bin", randomBytes(size)];
  const path = join(folder, name);
  writeFileSync(path, bytes);
  try {
    await work(path, name, bytes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The chunks that a page asks for, one every so often, so that a test can step in between. */
async function slowly(page: Page, milliseconds: number): Promise<{ asked: number[]; hurry(): void }> {
  let free: Promise<void> = Promise.resolve();
  let pause = milliseconds;
  const asked: number[] = [];
  await page.route("**/v1/files/*/chunks/*", async (route) => {
    if (route.request().method() === "GET") asked.push(Number(route.request().url().split("/").at(-1)));
    const turn = free;
    free = turn.then(() => new Promise((done) => setTimeout(done, pause)));
    await turn;
    // The page may have been loaded again meanwhile.
    await route.continue().catch(() => {});
  });
  const hurry = () => {
    pause = 0;
  };
  return { asked, hurry };
}

async function saved(download: Promise<Download>): Promise<string> {
  return hash(readFileSync(await (await download).path()));
}

test("a download is paused, goes on, and survives a reload", async ({ demo, phones }) => {
  test.slow();
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first);
  const bilal = await phones.ready(second);
  await asma.writeTo(second);
  await withFile(24 * 1024 * 1024 + 5, async (path, name, bytes) => {
    await asma.page.locator("input[type=file]").first().setInputFiles(path);
    await asma.page.getByRole("button", { name: "Send", exact: true }).click();
    await bilal.openChat(first.name.en);
    const message = bilal.message(name);
    await expect(message).toBeVisible({ timeout: 90_000 });
    const open = message.getByRole("button", { name: new RegExp(`^Save ${name}`) }).first();

    // Paused and continued: the press on the file still saves it in the end, and nothing is fetched twice.
    const whole = Array.from({ length: 25 }, (_, index) => index);
    const slow = await slowly(bilal.page, 600);
    const saving = bilal.page.waitForEvent("download", { timeout: 90_000 });
    await open.click();
    await expect.poll(() => slow.asked.length).toBeGreaterThan(6);
    await message.getByRole("button", { name: `Pause ${name}` }).click();
    await expect(message.getByText(/^Paused at/)).toBeVisible();
    const atPause = slow.asked.length;
    await message.getByRole("button", { name: `Resume ${name}` }).click();
    await expect.poll(() => slow.asked.length).toBeGreaterThan(atPause);
    slow.hurry();
    expect(await saved(saving)).toBe(hash(bytes));
    expect([...new Set(slow.asked)].sort((a, b) => a - b)).toEqual(whole);
    expect(slow.asked.length, "only what was on its way is asked for again").toBeLessThanOrEqual(25 + 4);
    await bilal.page.unrouteAll({ behavior: "ignoreErrors" });

    // Loaded again in the middle: it goes on by itself, and is then saved without the network.
    const again = await slowly(bilal.page, 600);
    await open.click();
    await expect.poll(() => again.asked.length).toBeGreaterThan(10);
    const before = again.asked.length;
    await bilal.page.reload();
    await bilal.unlock();
    await expect.poll(() => again.asked.length, { timeout: 60_000 }).toBeGreaterThan(before);
    again.hurry();
    await expect(message.getByText("Ready on this device")).toBeVisible({ timeout: 60_000 });
    expect(Math.min(...again.asked.slice(before)), "not from the beginning").toBeGreaterThanOrEqual(before - 5);
    expect([...new Set(again.asked)].sort((a, b) => a - b)).toEqual(whole);
    const fetched = again.asked.length;
    const later = bilal.page.waitForEvent("download", { timeout: 60_000 });
    await message
      .getByRole("button", { name: `Save ${name}` })
      .last()
      .click();
    expect(await saved(later)).toBe(hash(bytes));
    expect(again.asked.length, "nothing more was fetched").toBe(fetched);
    await expect(message.getByText("Ready on this device")).toBeHidden();
  });
});

test("a download that a second tab asked for is kept when that tab is loaded again", async ({ demo, phones }) => {
  test.slow();
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first);
  const bilal = await phones.ready(second);
  await asma.writeTo(second);
  await withFile(12 * 1024 * 1024 + 5, async (path, name, bytes) => {
    await asma.page.locator("input[type=file]").first().setInputFiles(path);
    await asma.page.getByRole("button", { name: "Send", exact: true }).click();
    await bilal.openChat(first.name.en);
    await expect(bilal.message(name)).toBeVisible({ timeout: 90_000 });
    // The first tab leads: what the second asks for is fetched there.
    const tab = await bilal.tab(new URL(bilal.page.url()).pathname);
    const message = tab.getByRole("article").filter({ hasText: name });
    const slow = await slowly(bilal.page, 600);
    await message
      .getByRole("button", { name: new RegExp(`^Save ${name}`) })
      .first()
      .click();
    await expect.poll(() => slow.asked.length).toBeGreaterThan(4);
    await tab.reload();
    await expect(message).toBeVisible();
    slow.hurry();
    await expect(message.getByText("Ready on this device")).toBeVisible({ timeout: 60_000 });
    const whole = Array.from({ length: 13 }, (_, index) => index);
    expect(
      slow.asked.toSorted((a, b) => a - b),
      "each chunk once",
    ).toEqual(whole);

    await bilal.go("/settings/storage");
    const storage = bilal.page.getByRole("region", { name: "Storage" });
    const kept = storage.getByRole("listitem").filter({ hasText: name });
    await expect(kept).toContainText(/until /);
    const later = tab.waitForEvent("download", { timeout: 60_000 });
    await message
      .getByRole("button", { name: `Save ${name}` })
      .last()
      .click();
    expect(await saved(later)).toBe(hash(bytes));
    expect(slow.asked.length, "nothing more was fetched").toBe(whole.length);
    await expect(kept, "saved is no longer kept").toBeHidden();
  });
});

test("an upload that is wholly encrypted goes on after a reload without its file", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  await withFile(12 * 1024 * 1024 + 5, async (path, name, bytes) => {
    // Nothing gets through before the reload.
    let sent = 0;
    await phone.page.route("**/v1/files/*/chunks/*", async () => {
      sent += 1;
    });
    await phone.page.locator("input[type=file]").first().setInputFiles(path);
    await phone.page.getByRole("button", { name: "Send", exact: true }).click();
    const sending = phone.page.getByRole("region", { name: "Files being sent" });
    // Paused and continued without being asked for the file: it is still at hand.
    await sending.getByRole("button", { name: `Pause ${name}` }).click();
    await expect(sending.getByText(/^Paused at/)).toBeVisible();
    sent = 0;
    await sending.getByRole("button", { name: `Resume ${name}` }).click();
    await expect.poll(() => sent).toBeGreaterThan(0);
    await expect(sending.getByText(/^0%/)).toBeVisible({ timeout: 60_000 });
    rmSync(path);
    await phone.page.unrouteAll({ behavior: "ignoreErrors" });
    await phone.page.reload();
    await phone.unlock();
    await expect(phone.composer()).toBeVisible({ timeout: 60_000 });
    const again = sending.getByRole("button", { name: "Choose the file again" });
    const message = phone.message(name);
    await expect(again.or(message)).toBeVisible({ timeout: 60_000 });
    await expect(again).toBeHidden();
    await expect(message).toBeVisible({ timeout: 60_000 });
    // The official who answers has fetched and verified it.
    await expect(phone.message(hash(bytes).slice(0, 16))).toBeVisible({ timeout: 90_000 });
  });
});

test("an upload that was not wholly encrypted asks for its file, for this one only", async ({ demo, phones }) => {
  test.slow();
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  await withFile(64 * 1024 * 1024, async (path, name, bytes) => {
    await phone.page.locator("input[type=file]").first().setInputFiles(path);
    await phone.page.getByRole("button", { name: "Send", exact: true }).click();
    const sending = phone.page.getByRole("region", { name: "Files being sent" });
    await expect(sending).toBeVisible();
    await phone.page.reload();
    await phone.unlock();
    const again = sending.getByRole("button", { name: "Choose the file again" });
    await expect(again).toBeVisible({ timeout: 60_000 });
    const picker = sending.locator("input[type=file]");
    await picker.setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from("another one") });
    await expect(phone.page.getByText("This is another file.")).toBeVisible();
    await picker.setInputFiles(path);
    await expect(phone.message(name)).toBeVisible({ timeout: 90_000 });
    await expect(phone.message(hash(bytes).slice(0, 16))).toBeVisible({ timeout: 90_000 });
  });
});

test("a full quota is told in figures", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  // The demo's server has room for more than a test may fill: its refusal is made here, its figures are its own.
  await phone.page.route("**/v1/files", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status: 403,
          contentType: "application/problem+json",
          body: JSON.stringify({ type: "about:blank", status: 403, code: "files.quota" }),
        })
      : route.continue(),
  );
  const file = { name: "plan.bin", mimeType: "application/octet-stream", buffer: randomBytes(1_500_000) };
  await phone.page.locator("input[type=file]").first().setInputFiles(file);
  await phone.page.getByRole("button", { name: "Send", exact: true }).click();
  const sending = phone.page.getByRole("region", { name: "Files being sent" });
  await expect(sending.getByText(/does not fit into your storage on the server/)).toBeVisible();
  await expect(sending.getByText(/0 byte of 10\.7 GB are used; this file needs 1\.5 MB\./)).toBeVisible();
  // Room was made: it goes on.
  await phone.page.unrouteAll({ behavior: "ignoreErrors" });
  await sending.getByRole("button", { name: "Try plan.bin again" }).click();
  await expect(phone.message("plan.bin")).toBeVisible({ timeout: 60_000 });
});
