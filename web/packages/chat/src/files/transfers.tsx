import { useLingui } from "@lingui/react/macro";
import type { TransferView } from "@pakawaaz/api/protocol";
import { toast } from "@pakawaaz/ui";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useAnnounce } from "../app/announcer.tsx";
import { useTopic } from "../app/engine.tsx";
import { harmlessName } from "../chat/logic/text";
import { useWords } from "../chat/words";

/** Says when a file is through, or cannot go on, wherever one is in the app. */
export function Transfers() {
  const { t } = useLingui();
  const words = useWords();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const transfers = useTopic("transfers", {});
  const before = useRef<Map<string, TransferView> | null>(null);
  useEffect(() => {
    if (!transfers) return;
    const was = before.current;
    before.current = new Map(transfers.map((transfer) => [transfer.transfer, transfer]));
    if (!was) return;
    const news = (transfer: TransferView, name: string): string | null => {
      switch (transfer.state) {
        case "done":
          return t`${name} is ready to be saved`;
        case "failed":
          return `${name}: ${words.failure(transfer.failure)}`;
        case "needs_file":
          return t`${name}: choose the file again to go on`;
        default:
          return null;
      }
    };
    for (const transfer of transfers) {
      const old = was.get(transfer.transfer);
      if (!old || old.state === transfer.state) continue;
      const name = harmlessName(transfer.name);
      const text = news(transfer, name);
      if (text === null) continue;
      const here = pathname === `/c/${transfer.group}`;
      if (here) announce(text, true);
      else
        toast({
          text,
          actionLabel: t`Look`,
          onAction: () => void navigate({ to: "/c/$group", params: { group: transfer.group } }),
        });
    }
  }, [transfers, announce, navigate, pathname, t, words]);
  return null;
}
