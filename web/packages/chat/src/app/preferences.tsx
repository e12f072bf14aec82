import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";

/** Settings of this browser. Nothing secret: they are readable before the PIN. */
export interface Preferences {
  language: "en" | "ur";
  theme: "system" | "light" | "dark";
  contrast: boolean;
  motion: "system" | "reduced";
  text: "small" | "normal" | "large" | "larger";
  /** Notifications; they never carry content. */
  notify: boolean;
  /** Tell others that I am writing. */
  typing: boolean;
  /** Enter sends a message and Shift+Enter makes a line; never so on touch screens. */
  enterSends: boolean;
  /** Whether the note about this kind of app has been read. */
  assuranceSeen: boolean;
  /** Whether the warning about storage that may be cleared was put aside. */
  evictionSeen: boolean;
}

const KEY = "pakawaaz.preferences";
const DARK = "(prefers-color-scheme: dark)";
const CONTRAST = "(prefers-contrast: more)";

export function defaults(): Preferences {
  const language = navigator.languages.some((tag) => tag.toLowerCase().startsWith("ur")) ? "ur" : "en";
  return {
    language,
    theme: "system",
    contrast: false,
    motion: "system",
    text: "normal",
    notify: false,
    typing: true,
    enterSends: true,
    assuranceSeen: false,
    evictionSeen: false,
  };
}

export function stored(): Preferences {
  try {
    return { ...defaults(), ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    return defaults();
  }
}

interface Held {
  preferences: Preferences;
  change(some: Partial<Preferences>): void;
}

const Context = createContext<Held | null>(null);

/** `fixed` overrides what is stored and keeps nothing: the gallery shows several at once. */
export function PreferencesProvider({ children, fixed }: { children: ReactNode; fixed?: Partial<Preferences> }) {
  const [preferences, set] = useState<Preferences>(() => ({ ...(fixed ? defaults() : stored()), ...fixed }));
  const change = useCallback(
    (some: Partial<Preferences>) =>
      set((was) => {
        const now = { ...was, ...some };
        try {
          if (!fixed) localStorage.setItem(KEY, JSON.stringify(now));
        } catch {
          // Storage is full or forbidden; the setting holds until the tab is closed.
        }
        return now;
      }),
    [fixed],
  );
  useEffect(() => {
    apply(preferences);
    // The system's wishes may change while the app is open: at dusk, for example.
    const again = () => apply(preferences);
    const wishes = [DARK, CONTRAST].map((query) => matchMedia(query));
    for (const wish of wishes) wish.addEventListener("change", again);
    return () => {
      for (const wish of wishes) wish.removeEventListener("change", again);
    };
  }, [preferences]);
  useEffect(() => {
    // Other tabs of this origin follow.
    const follow = (event: StorageEvent) => {
      if (event.key === KEY && !fixed) set(stored());
    };
    addEventListener("storage", follow);
    return () => removeEventListener("storage", follow);
  }, [fixed]);
  return <Context value={useMemo(() => ({ preferences, change }), [preferences, change])}>{children}</Context>;
}

export function usePreferences(): Held {
  const held = use(Context);
  if (!held) throw new Error("no PreferencesProvider above");
  return held;
}

/** Writes the preferences to the document element, where the style sheet reads them. */
export function apply(preferences: Preferences) {
  const root = document.documentElement;
  root.lang = preferences.language;
  root.dir = preferences.language === "ur" ? "rtl" : "ltr";
  const dark = preferences.theme === "dark" || (preferences.theme === "system" && matchMedia(DARK).matches);
  const contrast = preferences.contrast || matchMedia(CONTRAST).matches;
  root.dataset.theme = dark ? "dark" : "light";
  root.dataset.contrast = contrast ? "more" : "normal";
  root.dataset.motion = preferences.motion;
  root.dataset.text = preferences.text;
}
