import { useLingui } from "@lingui/react/macro";
import type { BilingualName, LineView, MessageStatus, SystemLine } from "@pakawaaz/api/protocol";
import { useMemo } from "react";
import { useFormat } from "../app/i18n.tsx";
import { alarmSentence, errorSentence } from "../app/messages.ts";
import { sizeText } from "../files/logic/sizes";
import { oneLine } from "./logic/text";

/** Names in the line about the first members; the rest are a number. */
const MOST_NAMES = 6;

/** Names of the people that a conversation's lines speak about. */
export type WhoIs = (official: string) => BilingualName | null;

/** Everything of the chat that is said in words rather than shown, in the reader's language. */
export function useWords() {
  const { t } = useLingui();
  const format = useFormat();
  return useMemo(() => {
    const status: Record<MessageStatus, string> = {
      queued: t`Waiting to be sent`,
      sent: t`Sent`,
      delivered: t`Delivered`,
      read: t`Read`,
      failed: t`Not sent`,
    };

    const alarm = (kind: string) => alarmSentence(kind, format.language);
    const failure = (code: string | null) => errorSentence(code ?? "client.unexpected", format.language);

    const person = (name: BilingualName | null | undefined) => (name ? format.name(name) : "") || t`Somebody`;

    const system = (what: SystemLine, whoIs: WhoIs, author: BilingualName | null): string => {
      switch (what.what) {
        case "created": {
          const name = author ? format.name(author) : "";
          return name ? t`${name} started the conversation` : t`The conversation was started`;
        }
        case "joined_here":
          return t`This device was added. Earlier messages are not on it.`;
        case "removed_here":
          return t`This device is no longer in the conversation.`;
        case "unreadable":
          return t`A message could not be read on this device. Its sender will send it again if it was meant for you.`;
        case "members": {
          const names = what.names.map((name) => person(name));
          const more = names.length - MOST_NAMES;
          const who = format.list(more > 1 ? [...names.slice(0, MOST_NAMES), t`${more} more`] : names);
          return t`${who} are in this conversation`;
        }
        case "joined": {
          const name = person(whoIs(what.official) ?? author);
          return t`${name} was added`;
        }
        case "new_device": {
          const name = person(whoIs(what.official) ?? author);
          return t`${name} uses a new device`;
        }
        case "healed": {
          const name = person(whoIs(what.official) ?? author);
          return t`A device of ${name} lost its keys and joined again. Compare fingerprints if you did not expect this.`;
        }
        case "left": {
          const name = person(whoIs(what.official) ?? author);
          if (what.revoked) return t`A device of ${name} was revoked and removed`;
          return what.gone ? t`${name} is no longer in this conversation` : t`A device of ${name} left`;
        }
        case "titled": {
          const name = person(whoIs(what.official) ?? author);
          return t`${name} named the conversation “${what.title}”`;
        }
        case "failed":
          return failure(what.reason);
        case "alarm":
          return alarm(what.kind);
      }
    };

    /** One line for lists, reply bars and announcements. */
    const gist = (line: LineView, whoIs: WhoIs = () => null): string => {
      if (line.deleted) return t`Message deleted`;
      if (line.system) return system(line.system, whoIs, line.author_name);
      const text = oneLine(line.text);
      if (!line.file) return text;
      const kind = line.file.media_type.startsWith("image/")
        ? t`Photo`
        : line.file.media_type.startsWith("video/")
          ? t`Video`
          : line.file.name;
      return text ? `${kind}: ${text}` : kind;
    };

    const size = (bytes: number) => sizeText(bytes, format.language);
    return { status, alarm, failure, system, gist, person, size };
  }, [t, format]);
}

export type Words = ReturnType<typeof useWords>;
