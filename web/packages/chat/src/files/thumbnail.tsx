import type { FileView } from "@pakawaaz/api/protocol";
import { cx } from "@pakawaaz/ui";
import { useMemo } from "react";
import { useBlobUrl } from "./use-blob-url";

const PICTURES = new Set(["image/jpeg", "image/png", "image/webp"]);

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The small picture that came inside the message. It was made by the sender: only plain picture formats are shown. */
export function Thumbnail({
  file,
  className,
}: {
  file: Pick<FileView, "thumbnail" | "thumbnail_type">;
  className?: string;
}) {
  const blob = useMemo(() => {
    if (!file.thumbnail || !PICTURES.has(file.thumbnail_type ?? "")) return null;
    const bytes = bytesOf(file.thumbnail);
    return bytes && new Blob([bytes]);
  }, [file.thumbnail, file.thumbnail_type]);
  const url = useBlobUrl(blob, file.thumbnail_type ?? "");
  if (!url) return <span className={cx("block bg-sunken", className)} aria-hidden />;
  return <img src={url} alt="" draggable={false} className={cx("object-cover", className)} />;
}
