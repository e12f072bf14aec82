/**
 * A browser whose camera looks at what a test holds before it. Chromium plays the film in a file where a camera would
 * be, and opens the file whenever the camera is switched on: one browser can be shown several things, one by one.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Locator } from "@playwright/test";
import { executable, switches } from "./browser.ts";

const WIDTH = 1280;
const HEIGHT = 720;
/** Of the card in the picture. */
const CARD = 640;
/** Brightness of the table that it lies on. */
const TABLE = 128;

export class Camera {
  private constructor(
    readonly browser: Browser,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Camera> {
    const folder = mkdtempSync(join(tmpdir(), "pakawaaz-camera-"));
    const args = [...switches, `--use-file-for-fake-video-capture=${join(folder, "film.y4m")}`];
    const camera = new Camera(await chromium.launch({ executablePath: executable, args }), folder);
    camera.film(Buffer.alloc(WIDTH * HEIGHT, TABLE));
    return camera;
  }

  /** Holds before it what `drawing` (an `img` or `svg`) shows. */
  async show(drawing: Locator): Promise<void> {
    const card = await drawing.evaluate(async (element, side) => {
      const picture = new Image();
      picture.src =
        element instanceof HTMLImageElement
          ? element.src
          : `data:image/svg+xml;utf8,${encodeURIComponent(new XMLSerializer().serializeToString(element))}`;
      await picture.decode();
      const canvas = document.createElement("canvas");
      canvas.width = side;
      canvas.height = side;
      const context = canvas.getContext("2d");
      if (!context) throw new Error("no canvas");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, side, side);
      context.drawImage(picture, 0, 0, side, side);
      const { data } = context.getImageData(0, 0, side, side);
      let dark = "";
      for (let i = 0; i < data.length; i += 4) dark += (data[i] ?? 0) < 128 ? "1" : "0";
      return dark;
    }, CARD);
    const brightness = Buffer.alloc(WIDTH * HEIGHT, TABLE);
    const [left, top] = [(WIDTH - CARD) / 2, (HEIGHT - CARD) / 2];
    for (let y = 0; y < CARD; y++) {
      for (let x = 0; x < CARD; x++) {
        brightness[(top + y) * WIDTH + left + x] = card[y * CARD + x] === "1" ? 16 : 235;
      }
    }
    this.film(brightness);
  }

  /** YUV4MPEG2: frames of brightness, here without colour. */
  private film(brightness: Buffer): void {
    const colour = Buffer.alloc(WIDTH * HEIGHT * 0.5, 128);
    const frame = Buffer.concat([Buffer.from("FRAME\n"), brightness, colour]);
    const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420\n`);
    writeFileSync(join(this.folder, "film.y4m"), Buffer.concat([head, frame, frame]));
  }

  async stop(): Promise<void> {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
