import { useSyncExternalStore } from "react";
import { usePreferences } from "../app/preferences.tsx";

const touch = typeof matchMedia === "function" ? matchMedia("(pointer: coarse) and (hover: none)") : null;

/** Whether Enter sends. On touch screens it makes a line, whatever is set: their keyboards have no Shift+Enter. */
export function useEnterSends(): boolean {
  const { preferences } = usePreferences();
  const coarse = useSyncExternalStore(
    (listener) => {
      touch?.addEventListener("change", listener);
      return () => touch?.removeEventListener("change", listener);
    },
    () => touch?.matches ?? false,
  );
  return !coarse && preferences.enterSends;
}
