/**
 * Which words under way a field shows when the same conversation is open in several tabs. Somebody writes in one tab at a
 * time: what was typed here since this tab was last left stands, and everything else follows the engine. (Its own words
 * come back from there too, some of them late; none of them may take letters away under the hands of who types.)
 */
export class HeldDraft {
  #newest: string;
  #typed = false;

  constructor(draft: string) {
    this.#newest = draft;
  }

  /** Somebody types here, or has sent. */
  typed() {
    this.#typed = true;
  }

  /** This tab is left: what was typed is kept by the engine now. */
  left() {
    this.#typed = false;
  }

  /** The engine's draft. What the field has to show instead of what it shows; null to leave it. */
  heard(draft: string): string | null {
    if (draft === this.#newest) return null;
    this.#newest = draft;
    return this.#typed ? null : draft;
  }
}
