/**
 * The rules that the general linter cannot know: every sentence goes through the catalogues, and no class or style
 * knows left from right.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { checkScript, checkStyle, type Finding } from "./rules.ts";

const root = join(import.meta.dirname, "..");

const findings: Finding[] = [];
for (const folder of ["packages/chat/src", "packages/ui/src"]) {
  for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(root, file);
    const text = await readFile(file, "utf8");
    if (/\.css$/.test(path)) findings.push(...checkStyle(path, text));
    if (/\.tsx?$/.test(path) && !/\.test\.tsx?$|\.d\.ts$/.test(path)) findings.push(...checkScript(path, text));
  }
}
for (const { path, line, message } of findings) console.error(`${path}:${line}: ${message}`);
if (findings.length > 0) {
  console.error(`${findings.length} findings`);
  process.exit(1);
}
console.log("lint: nothing unlocalised, nothing left or right");
