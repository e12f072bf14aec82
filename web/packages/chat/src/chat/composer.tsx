import { Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView, LineView, MemberView } from "@pakawaaz/api/protocol";
import { IconButton, toast } from "@pakawaaz/ui";
import { Check, Paperclip, Pencil, SendHorizontal, Smile, X } from "lucide-react";
import {
  type KeyboardEvent,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { Button as AriaButton, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useEngine } from "../app/engine.tsx";
import { useErrorText } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { usePreferences } from "../app/preferences.tsx";
import { prepareFile } from "../files/prepare";
import { LARGEST_FILE, type Staged, StagedFiles } from "../files/staged";
import { insertMention, mentionedIn, mentionMatches, mentionQuery } from "./logic/mentions";
import { directionOf } from "./logic/text";
import { EmojiPicker } from "./parts/emoji-picker";
import { MentionList } from "./parts/mention-list";
import { UserText } from "./parts/user-text";
import { useDraft, useTyping } from "./use-draft";
import { useEnterSends } from "./use-enter-sends";
import { useOtherDraft } from "./use-other-draft";
import { useWords, type WhoIs } from "./words";

/** What the text under way belongs to. */
export type Mode = { kind: "new" } | { kind: "reply" | "edit"; line: LineView };

export interface ComposerHandle {
  focus(): void;
  addFiles(files: Iterable<File>): void;
}

export interface ComposerProps {
  conversation: ConversationView;
  members: MemberView[];
  whoIs: WhoIs;
  offline: boolean;
  mode: Mode;
  onMode(mode: Mode): void;
  onSent(): void;
  /** Arrow up in an empty field: edit the last message of one's own. */
  onEditLast(): void;
  ref: Ref<ComposerHandle>;
}

/** The longest text that the protocol takes, in bytes; the count shows from a little before. */
const LONGEST = 64 * 1024;
const SHOW_COUNT_FROM = LONGEST - 2_000;
const MOST_FILES = 30;
const bytes = (text: string) => new TextEncoder().encode(text).length;
let stagedIds = 0;

export function Composer({
  conversation,
  members,
  whoIs,
  offline,
  mode,
  onMode,
  onSent,
  onEditLast,
  ref,
}: ComposerProps) {
  const { group } = conversation;
  const { t } = useLingui();
  const engine = useEngine();
  const errorText = useErrorText();
  const words = useWords();
  const format = useFormat();
  const enterSends = useEnterSends();
  const { preferences } = usePreferences();
  const [text, setText] = useState(conversation.draft);
  const [caret, setCaret] = useState(0);
  const [marked, setMarked] = useState(0);
  const [closedAt, setClosedAt] = useState<number | null>(null);
  const [staged, setStaged] = useState<Staged[]>([]);
  const [sending, setSending] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const beforeEdit = useRef("");
  const listId = useId();
  const saveDraft = useDraft(group);
  const tellTyping = useTyping(group, preferences.typing);

  const typed = useOtherDraft(conversation.draft, (draft) => {
    if (mode.kind === "edit") beforeEdit.current = draft;
    else setText(draft);
  });

  const change = (value: string) => {
    typed();
    setText(value);
    setMarked(0);
    if (mode.kind !== "edit") saveDraft(value);
    tellTyping(value.trim() !== "");
  };

  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus(), addFiles }));

  // Editing borrows the field: what stood in it comes back afterwards.
  const editing = mode.kind === "edit" ? mode.line.key : null;
  const wasEditing = useRef<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only entering and leaving the editing of a line matter
  useEffect(() => {
    if (editing === wasEditing.current) return;
    if (wasEditing.current === null) beforeEdit.current = text;
    wasEditing.current = editing;
    setText(mode.kind === "edit" ? mode.line.text : beforeEdit.current);
    if (editing !== null) field.current?.focus();
  }, [editing]);
  useEffect(() => {
    if (mode.kind === "reply") field.current?.focus();
  }, [mode]);

  // Grows with the text up to a third of the window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, innerHeight / 3)}px`;
  }, [text]);

  const query = closedAt === null ? mentionQuery(text, caret) : null;
  const others = members.filter((member) => !member.me);
  const matches = query && (!conversation.direct || query.query !== "") ? mentionMatches(others, query.query) : [];
  const listed = matches.length > 0 && query !== null;

  const pick = (member: MemberView) => {
    if (!query) return;
    const next = insertMention(text, query, format.name(member.name));
    change(next.text);
    setCaret(next.caret);
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };

  const insert = (piece: string) => {
    const at = field.current?.selectionStart ?? text.length;
    change(text.slice(0, at) + piece + text.slice(field.current?.selectionEnd ?? at));
    const next = at + piece.length;
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(next, next);
      setCaret(next);
    });
  };

  function addFiles(files: Iterable<File>) {
    for (const file of files) {
      if (file.size > LARGEST_FILE) {
        toast({ text: t`${file.name} is larger than ${words.size(LARGEST_FILE)} and cannot be sent.` });
        continue;
      }
      stagedIds += 1;
      const id = stagedIds;
      setStaged((was) => (was.length < MOST_FILES ? [...was, { id, file, prepared: null }] : was));
      void prepareFile(file).then((prepared) =>
        setStaged((was) => was.map((each) => (each.id === id ? { ...each, prepared } : each))),
      );
    }
    field.current?.focus();
  }

  const length = text.length * 3 > SHOW_COUNT_FROM ? bytes(text) : 0;
  const tooLong = length > LONGEST;
  const preparing = staged.some((each) => !each.prepared);
  const sendable = (text.trim() !== "" || staged.length > 0) && !tooLong && !preparing && !sending;

  const send = async () => {
    if (!sendable) return;
    const body = text.trim();
    setSending(true);
    try {
      if (mode.kind === "edit" && mode.line.message) {
        if (body !== mode.line.text)
          await engine.call("edit", {
            group,
            message: mode.line.message,
            text: body,
            mentions: mentionedIn(body, others),
          });
        onMode({ kind: "new" });
        return;
      }
      const reply_to = mode.kind === "reply" ? mode.line.message : null;
      if (staged.length > 0) {
        const files = staged.flatMap((each) => (each.prepared ? [each.prepared] : []));
        await engine.call(
          "attach",
          { group, caption: body, reply_to, mentions: mentionedIn(body, others), files },
          { files: staged.map((each) => each.file) },
        );
      } else await engine.call("send", { group, text: body, reply_to, mentions: mentionedIn(body, others) });
      typed();
      setText("");
      setStaged([]);
      saveDraft("");
      tellTyping(false);
      onMode({ kind: "new" });
      onSent();
    } catch (error) {
      toast({ text: errorText(error) });
    } finally {
      setSending(false);
      field.current?.focus();
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Keyboards that compose letters end the composition with Enter.
    if (event.nativeEvent.isComposing) return;
    if (listed) {
      const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
      const step = moves[event.key];
      if (step) {
        event.preventDefault();
        setMarked((marked + step + matches.length) % matches.length);
        return;
      }
      const member = matches[marked];
      if (member && (event.key === "Enter" || event.key === "Tab")) {
        event.preventDefault();
        pick(member);
        return;
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        setClosedAt(query.start);
        return;
      }
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || (enterSends && !event.shiftKey))) {
      event.preventDefault();
      void send();
    } else if (event.key === "Escape" && mode.kind !== "new") {
      event.preventDefault();
      event.stopPropagation();
      onMode({ kind: "new" });
    } else if (event.key === "ArrowUp" && text === "" && mode.kind === "new") {
      event.preventDefault();
      onEditLast();
    }
  };

  if (conversation.left) {
    return (
      <p className="safe-bottom border-t border-line bg-surface px-4 py-4 text-center text-muted">
        <Trans>You are no longer in this conversation. What was written stays on this device.</Trans>
      </p>
    );
  }

  return (
    <form
      className="safe-bottom relative shrink-0 border-t border-line bg-surface"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {listed && <MentionList id={listId} members={matches} marked={marked} onPick={pick} />}
      {mode.kind !== "new" && (
        <div className="flex items-center gap-2 px-3 pt-2">
          <Pencil size={18} aria-hidden className={mode.kind === "edit" ? "text-brand-ink" : "hidden"} />
          <div className="min-w-0 flex-1 border-s-4 border-brand ps-2 text-sm">
            <p className="truncate font-semibold text-brand-ink">
              {mode.kind === "edit" ? (
                <Trans>Edit message</Trans>
              ) : mode.line.mine ? (
                <Trans>Reply to yourself</Trans>
              ) : (
                <Trans>Reply to {words.person(mode.line.author_name)}</Trans>
              )}
            </p>
            <UserText block className="truncate text-muted">
              {words.gist(mode.line, whoIs)}
            </UserText>
          </div>
          <IconButton
            icon={X}
            size="small"
            label={mode.kind === "edit" ? t`Stop editing` : t`Do not reply`}
            onPress={() => onMode({ kind: "new" })}
          />
        </div>
      )}
      {mode.kind !== "edit" && (
        <StagedFiles staged={staged} onRemove={(id) => setStaged((was) => was.filter((each) => each.id !== id))} />
      )}
      {conversation.held_back && (
        <p className="px-4 pt-2 text-sm text-warn-ink">
          <Trans>
            A device is being removed from this conversation. New messages wait until that is done, so that it cannot
            read them.
          </Trans>
        </p>
      )}
      {offline && !conversation.held_back && (text !== "" || staged.length > 0) && (
        <p className="px-4 pt-2 text-sm text-muted">
          <Trans>No connection. What you send is kept and goes out when it is back.</Trans>
        </p>
      )}
      <div className="flex items-end gap-1 p-2">
        {mode.kind !== "edit" && (
          <IconButton icon={Paperclip} label={t`Attach files`} onPress={() => picker.current?.click()} />
        )}
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-hidden
          onChange={(event) => {
            addFiles([...(event.target.files ?? [])]);
            event.target.value = "";
          }}
        />
        <div className="flex min-w-0 flex-1 items-end rounded-3xl border border-line-strong bg-page ps-4 focus-within:border-brand">
          <textarea
            ref={field}
            value={text}
            rows={1}
            dir="auto"
            lang={directionOf(text) === "rtl" || (text === "" && format.language === "ur") ? "ur" : "en"}
            aria-label={mode.kind === "edit" ? t`Edit message` : t`Message`}
            aria-autocomplete="list"
            aria-controls={listed ? listId : undefined}
            aria-activedescendant={listed ? `${listId}-${marked}` : undefined}
            placeholder={mode.kind === "edit" ? t`Edit message` : staged.length > 0 ? t`Caption` : t`Message`}
            autoCapitalize="sentences"
            enterKeyHint={enterSends ? "send" : "enter"}
            onChange={(event) => {
              setCaret(event.target.selectionStart);
              setClosedAt(null);
              change(event.target.value);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
            onKeyDown={onKeyDown}
            onPaste={(event) => {
              const files = [...event.clipboardData.files];
              // Text copied from an office program carries a picture of itself as well: the text is what is meant.
              if (files.length === 0 || event.clipboardData.getData("text/plain")) return;
              event.preventDefault();
              addFiles(files);
            }}
            className="max-h-[34dvh] min-h-11 min-w-0 flex-1 resize-none bg-transparent py-2.5 outline-none placeholder:text-muted focus-visible:outline-none urdu:py-0.5"
          />
          <DialogTrigger>
            <AriaButton
              aria-label={t`Insert emoji`}
              className="grid size-11 shrink-0 place-items-center rounded-full text-muted hover:text-ink"
            >
              <Smile size={22} aria-hidden />
            </AriaButton>
            <Popover
              placement="top end"
              className="rounded-card border border-line bg-raised p-2 text-ink shadow-overlay animate-fade"
            >
              <Dialog aria-label={t`Insert emoji`} className="outline-none">
                {({ close }) => (
                  <EmojiPicker
                    onPick={(emoji) => {
                      close();
                      insert(emoji);
                    }}
                  />
                )}
              </Dialog>
            </Popover>
          </DialogTrigger>
        </div>
        <IconButton
          type="submit"
          kind="primary"
          icon={mode.kind === "edit" ? Check : SendHorizontal}
          label={mode.kind === "edit" ? t`Save change` : t`Send`}
          isDisabled={!sendable}
          className="rounded-full! text-on-brand!"
        />
      </div>
      {length > SHOW_COUNT_FROM && (
        <p
          role={tooLong ? "alert" : undefined}
          className={tooLong ? "px-4 pb-2 text-sm text-danger-ink" : "px-4 pb-2 text-sm text-muted"}
        >
          {tooLong ? (
            <Trans>
              The message is too long by {format.number(length - LONGEST)} characters. Send it as a file or in parts.
            </Trans>
          ) : (
            <Trans>{format.number(LONGEST - length)} characters left</Trans>
          )}
        </p>
      )}
    </form>
  );
}
