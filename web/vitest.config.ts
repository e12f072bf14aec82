import { lingui } from "@lingui/vite-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [lingui({ macroTransform: true, cwd: `${import.meta.dirname}/packages/chat` })],
  test: {
    include: ["packages/*/src/**/*.test.{ts,tsx}", "tools/**/*.test.ts"],
    environment: "node",
    // Whole screens are built in these; a machine that is busy with a compiler takes its time, which is no failure.
    testTimeout: 30_000,
  },
});
