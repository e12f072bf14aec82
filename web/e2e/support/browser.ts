/** The browser that every test runs in. */

import { existsSync } from "node:fs";

export const executable = process.env.PAKAWAAZ_CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executable)) throw new Error(`no browser at ${executable}: apt-get install chromium`);

export const switches = [
  "--no-sandbox",
  "--disable-dev-shm-usage",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
];
