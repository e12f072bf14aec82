import { useLingui } from "@lingui/react/macro";
import type { BilingualName, ConversationView, MemberView, TransferView } from "@pakawaaz/api/protocol";
import { useMemo } from "react";
import { useTopic } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { conversationName } from "./logic/names";
import type { WhoIs } from "./words";

/** One conversation: `undefined` while loading, `null` when it is not on this device. */
export function useConversation(group: string): ConversationView | null | undefined {
  const all = useTopic("conversations", {});
  return useMemo(() => (all ? (all.find((entry) => entry.group === group) ?? null) : undefined), [all, group]);
}

/** What a conversation is called in the reader's language. */
export function useConversationName(): (conversation: ConversationView) => string {
  const { t } = useLingui();
  const { language } = useFormat();
  return useMemo(() => (conversation) => conversationName(conversation, language) || t`Only you`, [language, t]);
}

/** Whose colour a conversation has: the other person's in a conversation of two, its own otherwise. */
export function useFaceOf(): (conversation: ConversationView) => string {
  const me = useTopic("app", {})?.me?.official;
  return useMemo(
    () => (conversation) =>
      (conversation.direct && conversation.members.find((official) => official !== me)) || conversation.group,
    [me],
  );
}

const NOBODY: MemberView[] = [];

/** The members of a conversation, and their names by official. */
export function useMembers(group: string): { members: MemberView[]; whoIs: WhoIs; loaded: boolean } {
  const found = useTopic("members", { group });
  const members = found ?? NOBODY;
  const whoIs = useMemo<WhoIs>(() => {
    const names = new Map<string, BilingualName>(members.map((member) => [member.official, member.name]));
    return (official) => names.get(official) ?? null;
  }, [members]);
  return { members, whoIs, loaded: found !== undefined };
}

/** Transfers of one conversation: uploads in order, downloads by their message. */
export function useTransfers(group: string): { uploads: TransferView[]; downloads: Map<string, TransferView> } {
  const all = useTopic("transfers", {});
  return useMemo(() => {
    const here = (all ?? []).filter((transfer) => transfer.group === group);
    return {
      uploads: here.filter((transfer) => transfer.direction === "up" && transfer.state !== "done"),
      downloads: new Map(
        here.flatMap((transfer) =>
          transfer.direction === "down" && transfer.message ? [[transfer.message, transfer]] : [],
        ),
      ),
    };
  }, [all, group]);
}

/** Who is writing, by conversation, as a sentence; empty when nobody is. */
export function useWriting(): (group: string, whoIs?: WhoIs) => string {
  const { t } = useLingui();
  const format = useFormat();
  const writing = useTopic("typing", {});
  return useMemo(
    () => (group, whoIs) => {
      const officials = writing?.[group] ?? [];
      if (officials.length === 0) return "";
      const names = officials.flatMap((official) => {
        const name = whoIs?.(official);
        return name ? [format.name(name)] : [];
      });
      if (names.length === 0) return t`writing…`;
      const who = format.list(names.slice(0, 2));
      return names.length === 1
        ? t`${who} is writing…`
        : names.length === 2
          ? t`${who} are writing…`
          : t`Several people are writing…`;
    },
    [writing, format, t],
  );
}
