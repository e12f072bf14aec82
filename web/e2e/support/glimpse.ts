/** What is on the screen for a moment only: watched for from before it can be there, so that a busy machine misses nothing. */

import type { Page } from "@playwright/test";

/** Begins to watch for an element that says `words`. Gives what waits until it has been there, however briefly. */
export async function glimpse(page: Page, selector: string, words: string): Promise<() => Promise<void>> {
  const watch = await page.evaluateHandle(
    ([selector, words]) => {
      const seen = new Promise<boolean>((done) => {
        const end = (was: boolean) => {
          observer.disconnect();
          clearTimeout(patience);
          done(was);
        };
        const look = () => {
          const all = Array.from(document.querySelectorAll(selector));
          if (all.some((element) => element.textContent?.includes(words))) end(true);
        };
        const observer = new MutationObserver(look);
        const patience = setTimeout(() => end(false), 20_000);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      });
      return { seen };
    },
    [selector, words] as const,
  );
  return async () => {
    if (!(await watch.evaluate(({ seen }) => seen))) throw new Error(`“${words}” was never there as ${selector}`);
  };
}
