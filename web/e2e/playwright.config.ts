import { defineConfig } from "@playwright/test";
import { executable, switches } from "./support/browser.ts";

export default defineConfig({
  testDir: "./tests",
  outputDir: "../../target/web-e2e/results",
  // Two cores. Each worker has a demo of its own; tests of one file run in order, with the same demo.
  workers: 2,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [["list"], ["json", { outputFile: "../../target/web-e2e/report.json" }]],
  use: {
    viewport: { width: 390, height: 844 },
    actionTimeout: 20_000,
    // With what was on the page at every step. A film of it besides costs as much time as the tests themselves.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: { executablePath: executable, args: switches },
  },
});
