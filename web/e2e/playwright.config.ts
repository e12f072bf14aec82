import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = process.env.PAKAWAAZ_CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(chromium)) throw new Error(`no browser at ${chromium}: apt-get install chromium`);

export default defineConfig({
  testDir: "./tests",
  outputDir: "../../target/web-e2e/results",
  // One demo for all, and two cores: tests of one file run in order, files one after the other.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [["list"], ["json", { outputFile: "../../target/web-e2e/report.json" }]],
  use: {
    viewport: { width: 390, height: 844 },
    actionTimeout: 20_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
      ],
    },
  },
});
