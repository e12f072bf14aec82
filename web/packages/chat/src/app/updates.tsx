import { useSyncExternalStore } from "react";
import { reload } from "./reload.ts";
import { scriptAddress } from "./trusted.ts";

let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

function found(worker: ServiceWorker | null) {
  waiting = worker;
  for (const listener of listeners) listener();
}

const CHECK_MS = 60 * 60 * 1000;

/** Registers the service worker; a new one waits until the official agrees, so that no tab loses its half-done work. */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  // The first one takes over by itself what has just been loaded: that is no update.
  let controlled = navigator.serviceWorker.controller !== null;
  let reloading = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    const first = !controlled;
    controlled = true;
    if (first || reloading) return;
    reloading = true;
    void reload();
  });
  try {
    const registration = await navigator.serviceWorker.register(scriptAddress("/service-worker.js"), {
      updateViaCache: "none",
    });
    if (registration.waiting && controlled) found(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const coming = registration.installing;
      coming?.addEventListener("statechange", () => {
        if (coming.state === "installed" && navigator.serviceWorker.controller) found(coming);
      });
    });
    setInterval(() => void registration.update().catch(() => {}), CHECK_MS);
  } catch {
    // Without it the app works while the server answers; nothing to tell.
  }
}

export function useUpdate(): { ready: boolean; apply(): void } {
  const worker = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting,
  );
  return { ready: worker !== null, apply: () => worker?.postMessage("take-over") };
}
