import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Plugin, transformWithOxc } from "vite";
import { filesBelow } from "./bundle-list.ts";

/**
 * Writes `service-worker.js` from our source with the list of files to keep. Its name has no hash: the browser looks
 * at this address for news. The version is a digest of the list, so another build is another cache.
 */
export function serviceWorker(): Plugin {
  let folder = "";
  let source = "";
  return {
    name: "pakawaaz-service-worker",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
      source = join(config.root, "src/service-worker/service-worker.ts");
    },
    writeBundle: {
      order: "pre",
      sequential: true,
      async handler() {
        await writeServiceWorker(folder, source);
      },
    },
  };
}

/** Writes it for what is in `folder` now. */
export async function writeServiceWorker(folder: string, source: string): Promise<void> {
  const digest = createHash("sha256");
  const keep: string[] = [];
  for (const path of await filesBelow(folder)) {
    if (/^(?:gallery|bundle\.json|service-worker\.js)|assets\/gallery|\.br$/.test(path)) continue;
    keep.push(`/${path === "index.html" ? "" : path}`);
    digest.update(path).update(await readFile(join(folder, path)));
  }
  const { code } = await transformWithOxc(await readFile(source, "utf8"), source);
  const version = digest.digest("hex").slice(0, 16);
  const head = `const VERSION = ${JSON.stringify(version)};\nconst KEEP = ${JSON.stringify(keep)};\n`;
  await writeFile(join(folder, "service-worker.js"), head + code);
}
