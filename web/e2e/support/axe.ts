/** axe in the page itself: read in once for each page, and asked only for what is wrong. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import type { AxeResults, RunOptions } from "axe-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Window {
  axe?: { run(context: Document, options: RunOptions): Promise<AxeResults> };
}

/** What is wrong with the page as it is now: the rule, and where. Rules named in `rules` are switched on or off. */
export async function judged(page: Page, rules: Record<string, boolean> = {}): Promise<string[]> {
  if (page.frames().length > 1) throw new Error("axe was read into the page only, and it has frames");
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(source);
  const switches = Object.fromEntries(Object.entries(rules).map(([rule, enabled]) => [rule, { enabled }]));
  return page.evaluate(async (rules) => {
    const { axe } = globalThis as unknown as Window;
    if (!axe) throw new Error("axe is not in the page");
    const { violations } = await axe.run(document, { rules, resultTypes: ["violations"] });
    return violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }, switches);
}

/** Waits until nothing has been drawn anew for a moment: what is loaded has come, what was pressed has happened. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        const QUIET_MS = 80;
        const PATIENCE_MS = 5_000;
        const end = () => {
          observer.disconnect();
          clearTimeout(quiet);
          clearTimeout(patience);
          requestAnimationFrame(() => done());
        };
        const observer = new MutationObserver(() => {
          clearTimeout(quiet);
          quiet = setTimeout(end, QUIET_MS);
        });
        let quiet = setTimeout(end, QUIET_MS);
        const patience = setTimeout(end, PATIENCE_MS);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      }),
  );
}
