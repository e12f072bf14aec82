/** How a file may be shown. Anything that a browser could run (HTML, SVG, XML, PDF with scripts) is saved, never opened. */
export type FileKind = "image" | "video" | "audio" | "text" | "other";

const IMAGES = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"]);
const TEXTS = new Set(["text/plain", "text/csv", "text/markdown", "application/json"]);

/** Text longer than this is only saved. */
export const LONGEST_TEXT = 2_000_000;

export function kindOf(mediaType: string): FileKind {
  const type = bare(mediaType);
  if (IMAGES.has(type)) return "image";
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("audio/")) return "audio";
  if (TEXTS.has(type)) return "text";
  return "other";
}

/** The type of the `blob:` URL that a viewer uses: never one that would be a page of this origin. */
export function viewType(mediaType: string): string {
  const kind = kindOf(mediaType);
  if (kind === "text") return "text/plain;charset=utf-8";
  return kind === "other" ? "application/octet-stream" : bare(mediaType);
}

export function canView(mediaType: string, size: number): boolean {
  const kind = kindOf(mediaType);
  return kind !== "other" && (kind !== "text" || size <= LONGEST_TEXT);
}

/** "PDF", "DOCX": what stands on the bubble beside the size. */
export function typeLabel(name: string, mediaType: string): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1];
  if (extension) return extension.toUpperCase();
  const sub = bare(mediaType).split("/")[1] ?? "";
  return sub === "octet-stream" ? "" : sub.toUpperCase().slice(0, 8);
}

function bare(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

/** Bounds that the file protocol sets: 255 bytes of name without separators or control characters, 127 of type. */
export function safeName(name: string, fallback = "file"): string {
  const clean =
    name
      .replace(/\p{Cc}/gu, "")
      .replace(/[/\\]/g, "_")
      .trim() || fallback;
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (bytes(clean) <= 255) return clean;
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? "";
  let stem = clean.slice(0, clean.length - extension.length);
  while (bytes(stem + extension) > 255) stem = [...stem].slice(0, -1).join("");
  return stem + extension;
}

export function safeType(mediaType: string): string {
  const type = bare(mediaType);
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && type.length <= 127 ? type : "application/octet-stream";
}
