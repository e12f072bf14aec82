import { lingui } from "@lingui/vite-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [lingui({ macroTransform: true, cwd: `${import.meta.dirname}/packages/chat` })],
  test: { include: ["packages/*/src/**/*.test.{ts,tsx}", "tools/**/*.test.ts"], environment: "node" },
});
