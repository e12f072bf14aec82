import type { Commands } from "@pakawaaz/api/protocol";
import { ATTEMPTS, fitInside, THUMBNAIL_BYTES } from "./logic/fit";
import { kindOf, safeName, safeType } from "./logic/kinds";

export type Prepared = Commands["attach"][0]["files"][number];

/** Pictures above this are sent without a thumbnail rather than decoded here. */
const LARGEST_DECODE = 60_000_000;
const VIDEO_PATIENCE_MS = 6_000;

/**
 * What travels beside a file: its name, type, measures and a small picture. The thumbnail is drawn anew, so nothing of the
 * original's metadata (place, camera) is in it; the file itself is sent as it is. Never fails: what cannot be read is left out.
 */
export async function prepareFile(file: File): Promise<Prepared> {
  const prepared: Prepared = {
    name: safeName(file.name),
    media_type: safeType(file.type),
    size: file.size,
    width: null,
    height: null,
    duration_ms: null,
    thumbnail: null,
    thumbnail_type: null,
  };
  try {
    const kind = kindOf(file.type);
    if (kind === "image" && file.size <= LARGEST_DECODE) await addImage(file, prepared);
    else if (kind === "video" || kind === "audio") await addMedia(file, prepared, kind);
  } catch {
    // A damaged picture is still a file.
  }
  return prepared;
}

async function addImage(file: File, prepared: Prepared) {
  const bitmap = await createImageBitmap(file);
  try {
    prepared.width = bitmap.width;
    prepared.height = bitmap.height;
    await addThumbnail(bitmap, bitmap, prepared);
  } finally {
    bitmap.close();
  }
}

async function addMedia(file: File, prepared: Prepared, kind: "video" | "audio") {
  const element = document.createElement(kind);
  const url = URL.createObjectURL(file);
  try {
    element.preload = "metadata";
    element.muted = true;
    if (element instanceof HTMLVideoElement) element.playsInline = true;
    const loaded = happens(element, "loadedmetadata");
    element.src = url;
    await loaded;
    if (!Number.isFinite(element.duration)) await lookForEnd(element);
    if (Number.isFinite(element.duration)) prepared.duration_ms = Math.round(element.duration * 1000);
    if (!(element instanceof HTMLVideoElement) || element.videoWidth === 0) return;
    prepared.width = element.videoWidth;
    prepared.height = element.videoHeight;
    const ready = happens(element, "seeked");
    // Not the first picture: that is often black.
    element.currentTime = Number.isFinite(element.duration) ? Math.min(1, element.duration / 3) : 0;
    await ready;
    await addThumbnail(element, { width: element.videoWidth, height: element.videoHeight }, prepared);
  } finally {
    element.removeAttribute("src");
    element.load();
    URL.revokeObjectURL(url);
  }
}

/** What a browser recorded says nowhere how long it is: only its end does. */
async function lookForEnd(element: HTMLMediaElement) {
  const there = happens(element, "seeked");
  element.currentTime = Number.MAX_SAFE_INTEGER;
  await there;
}

function happens(element: HTMLMediaElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error("too slow")), VIDEO_PATIENCE_MS);
    const settle = (end: () => void) => () => {
      clearTimeout(patience);
      end();
    };
    element.addEventListener(name, settle(resolve), { once: true });
    element.addEventListener(
      "error",
      settle(() => reject(new Error("unreadable"))),
      { once: true },
    );
  });
}

async function addThumbnail(source: CanvasImageSource, size: { width: number; height: number }, prepared: Prepared) {
  for (const { edge, quality } of ATTEMPTS) {
    const box = fitInside(size, { width: edge, height: edge });
    const blob = await draw(source, box, quality);
    if (blob && blob.size <= THUMBNAIL_BYTES) {
      prepared.thumbnail = base64(new Uint8Array(await blob.arrayBuffer()));
      prepared.thumbnail_type = blob.type;
      return;
    }
  }
}

async function draw(
  source: CanvasImageSource,
  box: { width: number; height: number },
  quality: number,
): Promise<Blob | null> {
  if (typeof OffscreenCanvas !== "undefined") {
    const canvas = new OffscreenCanvas(box.width, box.height);
    const context = canvas.getContext("2d");
    if (!context) return null;
    context.drawImage(source, 0, 0, box.width, box.height);
    // A browser that has no WebP encoder answers with PNG; both are fine if they fit.
    return canvas.convertToBlob({ type: "image/webp", quality });
  }
  const canvas = document.createElement("canvas");
  canvas.width = box.width;
  canvas.height = box.height;
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(source, 0, 0, box.width, box.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
