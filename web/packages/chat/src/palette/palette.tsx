import { useLingui } from "@lingui/react/macro";
import { CommandPalette, type PaletteEntry } from "@pakawaaz/ui";
import { useNavigate, useParams } from "@tanstack/react-router";
import {
  Contrast,
  Keyboard,
  Languages,
  Lock,
  MessageSquarePlus,
  MessagesSquare,
  MonitorSmartphone,
  Moon,
  Search,
  Settings,
  Sun,
  UserRound,
  UserRoundSearch,
  UsersRound,
} from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useCommand, useTopic } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { usePreferences } from "../app/preferences.tsx";
import { useConversationName } from "../chat/hooks";
import { neighbour, ordered } from "../chat/logic/order";
import { useFind } from "../find/use-find";
import { rank } from "./match";
import { ShortcutHelp } from "./shortcut-help";
import { isMac, shortcutOf } from "./shortcuts";

const MOST_CONVERSATIONS = 8;
const MOST_ENTRIES = 20;

/** Ctrl-K: everything that can be reached, by a few letters; and the keys that work anywhere. */
export function Palette() {
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  useShortcuts(
    () => setOpen(true),
    () => setHelp(true),
  );
  return (
    <>
      {open && <OpenPalette onClose={() => setOpen(false)} onHelp={() => setHelp(true)} />}
      <ShortcutHelp isOpen={help} onClose={() => setHelp(false)} />
    </>
  );
}

function OpenPalette({ onClose, onHelp }: { onClose(): void; onHelp(): void }) {
  const { t } = useLingui();
  const format = useFormat();
  const navigate = useNavigate();
  const nameOf = useConversationName();
  const { preferences, change } = usePreferences();
  const lock = useCommand("lock");
  const conversations = useTopic("conversations", {});
  const app = useTopic("app", {});
  const [text, setText] = useState("");
  const found = useFind(text);
  const mac = isMac(window.navigator.platform);

  const entries = useMemo<PaletteEntry[]>(() => {
    const { current, archived } = ordered(conversations ?? []);
    const talks = [...current, ...archived].map((conversation) => ({
      id: `c${conversation.group}`,
      label: nameOf(conversation),
      section: "conversation",
      words: conversation.names.flatMap((name) => [name.en, name.ur]),
      entry: {
        id: `c${conversation.group}`,
        title: nameOf(conversation),
        icon: conversation.direct ? UserRound : UsersRound,
        ...(conversation.unread > 0 && { detail: t`${format.number(conversation.unread)} unread` }),
        onAction: () => void navigate({ to: "/c/$group", params: { group: conversation.group } }),
      } satisfies PaletteEntry,
    }));
    const dark = document.documentElement.dataset.theme === "dark";
    const action = (
      id: string,
      title: string,
      icon: PaletteEntry["icon"],
      onAction: () => void,
      shortcut?: string,
      words: string[] = [],
    ) => ({
      id,
      label: title,
      section: "action",
      words,
      entry: { id, title, icon, onAction, ...(shortcut && { shortcut }) } satisfies PaletteEntry,
    });
    const actions = [
      action("new", t`New conversation`, MessageSquarePlus, () => void navigate({ to: "/new" })),
      action("find", t`Find an official`, UserRoundSearch, () => void navigate({ to: "/find" })),
      action("chats", t`All conversations`, MessagesSquare, () => void navigate({ to: "/" })),
      action("search", t`Search messages`, Search, () => void navigate({ to: "/" }).then(focusSearch), "/"),
      action("devices", t`Devices and sessions`, MonitorSmartphone, () => void navigate({ to: "/devices" })),
      action("settings", t`Settings`, Settings, () => void navigate({ to: "/settings" })),
      action("theme", dark ? t`Light theme` : t`Dark theme`, dark ? Sun : Moon, () =>
        change({ theme: dark ? "light" : "dark" }),
      ),
      action("contrast", preferences.contrast ? t`Normal contrast` : t`High contrast`, Contrast, () =>
        change({ contrast: !preferences.contrast }),
      ),
      action(
        "language",
        preferences.language === "ur" ? "English" : "اردو",
        Languages,
        () => change({ language: preferences.language === "ur" ? "en" : "ur" }),
        undefined,
        ["Urdu", "English", "اردو", "انگریزی", t`Language`],
      ),
      action("keys", t`Keyboard shortcuts`, Keyboard, onHelp, "?"),
      action("lock", t`Lock the app`, Lock, () => void lock.run({})),
    ];
    if (text.trim() === "") return [...talks.slice(0, MOST_CONVERSATIONS), ...actions].map((each) => each.entry);
    const people = found.officials
      .filter((official) => official.official !== app?.me?.official)
      .map((official) => {
        const id = `o${official.official}`;
        const entry: PaletteEntry = {
          id,
          title: format.name(official.name),
          icon: UserRound,
          detail: official.posts[0] ? format.name(official.posts[0].title) : format.name(official.rank),
          onAction: () => void navigate({ to: "/official/$id", params: { id: official.official } }),
        };
        return {
          id,
          label: entry.title,
          section: "person",
          words: [official.name.en, official.name.ur, official.username],
          entry,
        };
      });
    const fitting = rank<{ id: string; label: string; section: string; words: string[]; entry: PaletteEntry }>(
      [...talks, ...people, ...actions],
      text,
      MOST_ENTRIES,
    );
    // The directory found these by post or organisation, which is not in their names.
    const others = people.filter((person) => !fitting.includes(person)).slice(0, MOST_CONVERSATIONS);
    return [...fitting, ...others].map((each) => each.entry);
  }, [app, change, conversations, format, found.officials, lock.run, nameOf, navigate, onHelp, preferences, t, text]);

  return (
    <CommandPalette
      isOpen
      onClose={onClose}
      label={mac ? t`Go to or do (⌘K)` : t`Go to or do (Ctrl+K)`}
      placeholder={t`Conversation, person or action`}
      emptyText={found.state === "running" ? t`Searching` : t`Nothing found`}
      entries={entries}
      text={text}
      onText={setText}
    />
  );
}

function focusSearch() {
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('[data-search="conversations"] input')?.focus());
}

function useShortcuts(onPalette: () => void, onHelp: () => void) {
  const navigate = useNavigate();
  const conversations = useTopic("conversations", {});
  const { group } = useParams({ strict: false });
  const latest = useRef<(event: KeyboardEvent) => void>(() => {});
  useEffect(() => {
    const mac = isMac(window.navigator.platform);
    latest.current = (event) => {
      if (event.defaultPrevented || event.isComposing) return;
      const at = event.target instanceof HTMLElement ? event.target : null;
      const typing = at !== null && (at.isContentEditable || /^(input|textarea|select)$/i.test(at.tagName));
      const shortcut = shortcutOf(event, typing, mac);
      if (!shortcut) return;
      // A dialog that is open keeps the keys: going elsewhere underneath it would confuse.
      if (shortcut !== "palette" && document.querySelector("[role=dialog],[role=alertdialog]")) return;
      event.preventDefault();
      switch (shortcut) {
        case "palette":
          onPalette();
          break;
        case "help":
          onHelp();
          break;
        case "search":
          void navigate({ to: "/" }).then(focusSearch);
          break;
        case "next":
        case "previous": {
          const to = neighbour(conversations ?? [], group, shortcut === "next" ? 1 : -1);
          if (to) void navigate({ to: "/c/$group", params: { group: to.group } });
          break;
        }
        default:
      }
    };
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => latest.current(event);
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}
