import { defineConfig } from "@playwright/test";
import { executable, switches } from "./support/browser.ts";

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
    launchOptions: { executablePath: executable, args: switches },
  },
});
