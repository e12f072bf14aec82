import { lingui } from "@lingui/vite-plugin";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { bundleList } from "../../tools/bundle-list.ts";
import { serviceWorker } from "../../tools/service-worker.ts";

export default defineConfig({
  root: import.meta.dirname,
  // One address per file for ever: everything under assets/ carries its hash.
  build: {
    target: "es2024",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { app: "index.html", gallery: "gallery.html" } },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  worker: { format: "es" },
  plugins: [
    react(),
    lingui({ macroTransform: true, cwd: import.meta.dirname }),
    tailwindcss(),
    serviceWorker(),
    bundleList(),
  ],
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8480", ws: true } } },
});
