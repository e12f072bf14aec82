/** What this needs of the page. */
export interface Visibility {
  readonly hidden: boolean;
  addEventListener(type: "visibilitychange", listener: () => void): void;
  removeEventListener(type: "visibilitychange", listener: () => void): void;
}

/**
 * Asks at once and then again and again, `every` milliseconds after each answer, as long as somebody can see the page;
 * at once when it is looked at again. One question at a time. Ends with the returned function.
 */
export function whileVisible(every: number, ask: () => Promise<unknown>, page: Visibility = document): () => void {
  let over = false;
  let asking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const round = async () => {
    clearTimeout(timer);
    if (over || asking || page.hidden) return;
    asking = true;
    try {
      await ask();
    } catch {
      // Whoever asks shows it; the next round may be luckier.
    }
    asking = false;
    if (!over) timer = setTimeout(round, every);
  };
  const look = () => void round();
  page.addEventListener("visibilitychange", look);
  look();
  return () => {
    over = true;
    clearTimeout(timer);
    page.removeEventListener("visibilitychange", look);
  };
}
