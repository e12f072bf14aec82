import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { expect, test } from "../support/test.ts";

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
  const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  expect(hash(readFileSync(path))).toBe(hash(document));
  await bilal.page.getByRole("button", { name: /Open photo site plan\.png/ }).click();
  await expect(bilal.page.getByRole("dialog").locator("img")).toBeVisible();
});

test("a reload in the middle of an upload loses nothing of it", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  const name = `pakawaaz-e2e-${process.pid}.bin`;
  const path = join(tmpdir(), name);
  const bytes = randomBytes(24 * 1024 * 1024);
  writeFileSync(path, bytes);
  try {
    await phone.page.locator("input[type=file]").first().setInputFiles(path);
    await phone.page.getByRole("button", { name: "Send", exact: true }).click();
    const sending = phone.page.getByRole("region", { name: "Files being sent" });
    await expect(sending).toBeVisible();
    await phone.page.reload();
    await phone.unlock();
    await expect(phone.composer()).toBeVisible({ timeout: 60_000 });
    // What was encrypted already goes on by itself; for the rest the file is needed once more, and only the same one.
    const again = sending.getByRole("button", { name: "Choose the file again" });
    const sent = phone.message(name);
    await expect(again.or(sent)).toBeVisible({ timeout: 60_000 });
    if (await again.isVisible()) await sending.locator("input[type=file]").setInputFiles(path);
    await expect(sent).toBeVisible({ timeout: 90_000 });
    // The official who answers has fetched and verified it.
    const hash = createHash("sha256").update(bytes).digest("hex");
    await expect(phone.message(hash.slice(0, 16))).toBeVisible({ timeout: 90_000 });
  } finally {
    rmSync(path, { force: true });
  }
});
