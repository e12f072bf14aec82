/// <reference lib="webworker" />
/**
 * Keeps the app itself, so that it opens without a connection. It never touches /v1: messages belong to the engine.
 * The build writes VERSION and KEEP above this text.
 */
declare const VERSION: string;
declare const KEEP: string[];
declare const self: ServiceWorkerGlobalScope;

const CACHE = `pakawaaz-${VERSION}`;

self.addEventListener("install", (event) => {
  // Whole or not at all: half a bundle is none.
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(KEEP.map((path) => new Request(path, { cache: "no-cache" })))),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("pakawaaz-") && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") void self.skipWaiting();
});

self.addEventListener("notificationclick", (event) => {
  const { group } = event.notification.data as { group: string };
  event.notification.close();
  event.waitUntil(open(group));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/v1")) return;
  if (request.mode === "navigate") {
    // Every address of the app is the same page; the gallery and the server's own pages are others.
    if (/\.\w+$|^\/(?:health|metrics|demo)/.test(url.pathname)) return;
    event.respondWith(kept("/").then((page) => page ?? fetch(request)));
    return;
  }
  if (KEEP.includes(url.pathname)) event.respondWith(kept(url.pathname).then((file) => file ?? fetch(request)));
});

async function kept(path: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(path);
}

/** Leads to a conversation: in a window that is open, else in a new one, which asks for the PIN first. */
async function open(group: string): Promise<void> {
  const [window] = await self.clients.matchAll({ type: "window" });
  if (!window) {
    await self.clients.openWindow(`/c/${group}`);
    return;
  }
  window.postMessage({ open: group });
  await window.focus();
}
