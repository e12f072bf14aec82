/** Measurements, run by `cargo xtask bench-web`: as the tests are, but nothing is recorded beside what is measured. */

import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig({
  ...tests,
  testDir: "./bench",
  testMatch: "*.bench.ts",
  outputDir: "../../target/web-bench/results",
  timeout: 300_000,
  reporter: [["list"]],
  use: { ...tests.use, trace: "off", screenshot: "off" },
});
