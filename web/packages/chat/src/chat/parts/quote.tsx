import { Trans } from "@lingui/react/macro";
import type { LineView } from "@pakawaaz/api/protocol";
import { FileText } from "lucide-react";
import { Button } from "react-aria-components";
import { oneLine } from "../logic/text";
import { useWords } from "../words";
import { UserText } from "./user-text";

/** What a message answers; pressing it goes there. */
export function Quote({ reply, onGo }: { reply: NonNullable<LineView["reply"]>; onGo(message: string): void }) {
  const words = useWords();
  const text = oneLine(reply.text, 140);
  return (
    <Button
      onPress={() => onGo(reply.message)}
      className="mb-1 block w-full min-w-0 rounded-lg border-s-4 border-brand bg-black/5 px-2 py-1 text-start text-sm hover:bg-black/10 dark:bg-white/8 dark:hover:bg-white/12"
    >
      <UserText className="block truncate font-semibold text-brand-ink">{words.person(reply.author_name)}</UserText>
      <span className="line-clamp-2">
        {reply.deleted ? (
          <i>
            <Trans>Message deleted</Trans>
          </i>
        ) : (
          <>
            {reply.file && (
              <span className="inline-flex items-center gap-1 align-middle">
                <FileText size={14} aria-hidden />
                <UserText>{reply.file}</UserText>
              </span>
            )}{" "}
            <UserText>{text}</UserText>
          </>
        )}
      </span>
    </Button>
  );
}
