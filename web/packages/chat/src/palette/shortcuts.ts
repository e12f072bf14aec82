/** Keys that work anywhere in the app. `mod` is Ctrl, or ⌘ on a Mac. */
export type Shortcut = "palette" | "help" | "new" | "find" | "settings" | "next" | "previous" | "search";

export interface KeyPress {
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

/** What a key means; `typing` when a field has the focus, where plain letters are text. */
export function shortcutOf(press: KeyPress, typing: boolean, mac: boolean): Shortcut | null {
  const mod = mac ? press.metaKey : press.ctrlKey;
  if (mod && !press.altKey && !press.shiftKey && press.key.toLowerCase() === "k") return "palette";
  if (press.altKey && !press.ctrlKey && !press.metaKey) {
    if (press.key === "ArrowDown") return "next";
    if (press.key === "ArrowUp") return "previous";
  }
  if (typing || mod || press.altKey || press.metaKey || press.ctrlKey) return null;
  if (press.key === "?") return "help";
  if (press.key === "/") return "search";
  return null;
}

export function isMac(platform: string): boolean {
  return /mac|iphone|ipad/i.test(platform);
}
