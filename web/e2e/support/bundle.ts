/** The app as the next release would have it: another bundle, made by the tools that make every bundle. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compress, list } from "../../tools/bundle-list.ts";
import { writeServiceWorker } from "../../tools/service-worker.ts";
import { built } from "./demo.ts";

const source = resolve(import.meta.dirname, "../../packages/chat/src/service-worker/service-worker.ts");

export class NextRelease {
  readonly folder = mkdtempSync(join(tmpdir(), "pakawaaz-release-"));

  static async make(): Promise<NextRelease> {
    const release = new NextRelease();
    cpSync(built, release.folder, { recursive: true });
    const page = join(release.folder, "index.html");
    writeFileSync(page, readFileSync(page, "utf8").replace("<head>", '<head><meta name="release" content="next">'));
    await writeServiceWorker(release.folder, source);
    await compress(release.folder, ["index.html", "service-worker.js"]);
    await list(release.folder);
    return release;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
