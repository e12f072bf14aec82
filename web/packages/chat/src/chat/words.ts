import { useLingui } from "@lingui/react/macro";
import type { BilingualName, LineView, MessageStatus, SystemLine } from "@pakawaaz/api/protocol";
import { useMemo } from "react";
import { useFormat } from "../app/i18n.tsx";
import { alarmSentence, errorSentence } from "../app/messages.ts";
import { sizeText } from "../files/logic/sizes";
import { oneLine } from "./logic/text";

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
        case "joined": {
          const name = person(whoIs(what.official));
          return t`${name} was added with a device`;
        }
        case "healed": {
          const name = person(whoIs(what.official));
          return t`A device of ${name} lost its keys and joined again. Compare fingerprints if you did not expect this.`;
        }
        case "left": {
          const name = person(whoIs(what.official));
          return what.revoked ? t`A device of ${name} was revoked and removed` : t`A device of ${name} left`;
        }
        case "titled": {
          const name = person(whoIs(what.official));
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
