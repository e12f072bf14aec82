import { useEffect, useState } from "react";

/** An address for bytes in memory, revoked when nobody shows them any more. `type` decides how the browser reads them. */
export function useBlobUrl(blob: Blob | null, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) {
      setUrl(null);
      return;
    }
    const created = URL.createObjectURL(blob.slice(0, blob.size, type));
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [blob, type]);
  return url;
}

/** Offers bytes to be saved under a name. Always as a download: no file becomes a page of this origin. */
export function saveAs(blob: Blob, name: string) {
  const url = URL.createObjectURL(blob.slice(0, blob.size, "application/octet-stream"));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
