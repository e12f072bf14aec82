import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { Plugin } from "vite";

const LIST = "bundle.json";
const TEXT = /\.(?:html|js|css|json|svg|wasm|webmanifest)$/;
const brotli = promisify(brotliCompress);

/** Every file below `folder`, as paths with forward slashes, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/**
 * Writes `bundle.json`, path → SHA-256 of every file, so that a bundle can be packed and signed and a copy be compared
 * with it; and a brotli copy beside every file that shrinks, so that the server never compresses.
 */
export function bundleList(): Plugin {
  let folder = "";
  return {
    name: "pakawaaz-bundle-list",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    writeBundle: {
      order: "post",
      sequential: true,
      async handler() {
        await compress(folder, await filesBelow(folder));
        await list(folder);
      },
    },
  };
}

/** Puts a brotli copy beside each of these files that shrinks. */
export async function compress(folder: string, paths: string[]): Promise<void> {
  for (const path of paths.filter((each) => TEXT.test(each) && each !== LIST)) {
    const bytes = await readFile(join(folder, path));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    await writeFile(join(folder, `${path}.br`), await brotli(bytes, { params }));
  }
}

/** Writes the list of everything that is in `folder` now. */
export async function list(folder: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const path of await filesBelow(folder)) {
    if (path === LIST) continue;
    files[path] = createHash("sha256")
      .update(await readFile(join(folder, path)))
      .digest("hex");
  }
  await writeFile(join(folder, LIST), `${JSON.stringify({ version: 1, files }, null, 1)}\n`);
}
