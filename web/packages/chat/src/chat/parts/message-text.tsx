import { Trans } from "@lingui/react/macro";
import { memo, useMemo, useState } from "react";
import { Button } from "react-aria-components";
import { directionOf, folded, type MentionName, onlyEmoji, type Piece, piecesOf } from "../logic/text";

/** A message's text: mentions marked, links as buttons that ask first, long texts folded. Nothing is fetched. */
export const MessageText = memo(function MessageText({
  text,
  mentioned,
  me,
  onLink,
}: {
  text: string;
  mentioned: MentionName[];
  me: string | null;
  onLink(url: string): void;
}) {
  const short = useMemo(() => folded(text), [text]);
  const [open, setOpen] = useState(false);
  const shown = short !== null && !open ? short : text;
  const pieces = useMemo(() => piecesOf(shown, mentioned), [shown, mentioned]);
  if (onlyEmoji(text)) return <p className="text-4xl leading-tight">{text}</p>;
  return (
    <>
      <p
        dir="auto"
        lang={directionOf(text) === "rtl" ? "ur" : "en"}
        className="text-start break-words whitespace-pre-wrap [overflow-wrap:anywhere]"
      >
        {pieces.map((piece, index) => (
          <PieceView key={`${index}${piece.kind}`} piece={piece} me={me} onLink={onLink} />
        ))}
        {short !== null && !open && "…"}
      </p>
      {short !== null && (
        <Button className="mt-1 rounded font-medium text-brand-ink hover:underline" onPress={() => setOpen(!open)}>
          {open ? <Trans>Show less</Trans> : <Trans>Show all</Trans>}
        </Button>
      )}
    </>
  );
});

function PieceView({ piece, me, onLink }: { piece: Piece; me: string | null; onLink(url: string): void }) {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "mention":
      return (
        <bdi
          className={
            piece.official === me
              ? "rounded bg-warn-soft px-0.5 font-semibold text-warn-ink"
              : "font-semibold text-brand-ink"
          }
        >
          {piece.text}
        </bdi>
      );
    case "link":
      return (
        <Button
          className="inline cursor-pointer rounded text-start break-all text-info-ink underline underline-offset-2"
          onPress={() => onLink(piece.url)}
        >
          <bdi dir="ltr">{piece.text}</bdi>
        </Button>
      );
  }
}
