import { expect, test } from "../support/test.ts";

/** What a telephone's browser records: the length is not in its head, since nobody knew it at the beginning. */
async function recorded(milliseconds: number): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 240;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const begun = performance.now();
  const draw = () => {
    const at = performance.now() - begun;
    context.fillStyle = "#0b5d3f";
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "#ffffff";
    context.fillRect((at / milliseconds) * 280, 100, 40, 40);
    if (at < milliseconds) requestAnimationFrame(draw);
    else recorder.stop();
  };
  const stopped = new Promise((done) => {
    recorder.onstop = done;
  });
  // Handed over piece by piece, so that nothing in front can be corrected at the end.
  recorder.start(200);
  draw();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

test("a video is sent with a small picture and its length, and plays where it arrives", async ({ demo, phones }) => {
  const phone = await phones.ready();
  const { page } = phone;
  await phone.writeTo(demo.answering());
  const film = Buffer.from(await page.evaluate(recorded, 2_200), "base64");
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles([{ name: "bridge.webm", mimeType: "video/webm", buffer: film }]);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  const video = page.getByRole("button", { name: /Open video bridge\.webm/ });
  await expect(video).toBeVisible({ timeout: 60_000 });
  await expect(video).toContainText("0:02");
  const small = video.locator("img");
  await expect(small).toBeVisible();
  const shown = await small.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
  expect(shown[0]).toBeGreaterThan(0);
  expect((shown[0] ?? 0) / (shown[1] ?? 1)).toBeCloseTo(4 / 3, 1);
  await expect(phone.message("received bridge.webm")).toBeVisible({ timeout: 60_000 });

  await video.click();
  const player = page.getByRole("dialog").locator("video");
  await expect(player).toBeVisible();
  await expect.poll(() => player.evaluate((element: HTMLVideoElement) => element.currentTime)).toBeGreaterThan(1);
  expect(await player.evaluate((element: HTMLVideoElement) => [element.videoWidth, element.videoHeight])).toEqual([
    320, 240,
  ]);
});
