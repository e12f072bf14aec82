/** Fails when a sentence is missing from the catalogues, has no Urdu, or is no longer used. Changes nothing. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const path = (locale: string) => join(root, `packages/chat/src/locales/${locale}.po`);
const locales = ["en", "ur"];
const before = new Map(locales.map((locale) => [locale, readFileSync(path(locale), "utf8")]));

interface Entry {
  id: string;
  text: string;
  obsolete: boolean;
}

/** A catalogue's entries. Enough of the format for files that our own tool writes. */
function entries(po: string): Map<string, Entry> {
  const all = new Map<string, Entry>();
  for (const block of po.split(/\n\n+/).slice(1)) {
    const lines = block.split("\n").map((line) => line.replace(/^#~ /, ""));
    const part = (name: string) => {
      const at = lines.findIndex((line) => line.startsWith(`${name} `));
      if (at < 0) return null;
      let text = "";
      for (const line of [(lines[at] ?? "").slice(name.length + 1), ...lines.slice(at + 1)]) {
        if (!line.startsWith('"')) break;
        text += line.slice(1, -1);
      }
      return text;
    };
    const id = part("msgid");
    if (id === null) continue;
    const context = part("msgctxt");
    const key = context === null ? id : `${context}\u0004${id}`;
    all.set(key, { id, text: part("msgstr") ?? "", obsolete: block.includes("#~ msgid") });
  }
  return all;
}

const problems: string[] = [];
try {
  execFileSync(
    process.execPath,
    [
      join(root, "node_modules/@lingui/cli/dist/lingui.js"),
      "extract",
      "--clean",
      "--config",
      "packages/chat/lingui.config.ts",
    ],
    { cwd: root, stdio: "pipe" },
  );
  const used = entries(readFileSync(path("en"), "utf8"));
  const places = (text: string) => [...text.matchAll(/<\/?\d+\/?>|\{\w+[,}]/g)].map((match) => match[0]).sort();
  for (const locale of locales) {
    const kept = entries(before.get(locale) ?? "");
    for (const [key, { id }] of used) {
      const there = kept.get(key);
      if (!there || there.obsolete) problems.push(`${locale}: not in the catalogue: ${id}`);
      else if (locale !== "en" && there.text === "") problems.push(`${locale}: not translated: ${id}`);
      else if (locale !== "en" && new Set(places(id)).symmetricDifference(new Set(places(there.text))).size > 0) {
        problems.push(`${locale}: other places than the English has: ${id}`);
      }
    }
    for (const [key, { id }] of kept) if (!used.has(key)) problems.push(`${locale}: no longer used: ${id}`);
  }
} finally {
  for (const [locale, text] of before) writeFileSync(path(locale), text);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} problems; run: npm run i18n, then write the Urdu in src/locales/ur.po`);
  process.exit(1);
}
console.log("i18n: every sentence is in both languages");
