import { useLingui } from "@lingui/react/macro";
import type { FileUsage, TransferView } from "@pakawaaz/api/protocol";
import { useEffect, useState } from "react";
import { useEngine } from "../app/engine.tsx";
import { useWords } from "../chat/words";
import { type Limit, limitOf } from "./logic/limits";

/** The server's limit that an upload ran into, in figures; empty for any other reason, and until the server has told. */
export function useLimits(transfer: TransferView): string {
  const { t } = useLingui();
  const engine = useEngine();
  const words = useWords();
  const [usage, setUsage] = useState<FileUsage | null>(null);
  const limit: Limit | null = transfer.state === "failed" ? limitOf(transfer.failure) : null;
  useEffect(() => {
    if (!limit) return;
    let asked = true;
    engine.call("file_usage", {}).then(
      (answer) => asked && setUsage(answer),
      // Then the reason stands without figures.
      () => {},
    );
    return () => {
      asked = false;
    };
  }, [engine, limit]);
  if (!limit || !usage) return "";
  if (limit === "size") return t`The limit is ${words.size(usage.max_size)}.`;
  const [used, quota, size] = [words.size(usage.used), words.size(usage.quota), words.size(transfer.size)];
  return t`${used} of ${quota} are used; this file needs ${size}.`;
}
