import { createContext, type ReactNode, use, useCallback, useRef } from "react";

type Announce = (text: string, urgent?: boolean) => void;
const Context = createContext<Announce>(() => {});

/** Two live regions for the whole app: what is said there is read out and not shown. */
export function Announcer({ children }: { children: ReactNode }) {
  const polite = useRef<HTMLDivElement>(null);
  const urgent = useRef<HTMLDivElement>(null);
  const announce = useCallback<Announce>((text, now) => {
    const region = (now ? urgent : polite).current;
    if (!region) return;
    // Emptied first: the same sentence twice is said twice.
    region.textContent = "";
    setTimeout(() => {
      region.textContent = text;
    }, 50);
  }, []);
  return (
    <Context value={announce}>
      {children}
      <div ref={polite} role="status" aria-live="polite" className="sr-only" />
      <div ref={urgent} role="alert" aria-live="assertive" className="sr-only" />
    </Context>
  );
}

/** `announce("text")` has a screen reader say it. */
export function useAnnounce(): Announce {
  return use(Context);
}
