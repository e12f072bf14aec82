import { Trans, useLingui } from "@lingui/react/macro";
import type { ConversationView, Id, LineView } from "@pakawaaz/api/protocol";
import { Avatar, Banner, Button, Confirm, EmptyState, IconButton, Skeleton, TopBar, toast } from "@pakawaaz/ui";
import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, FileUp, MessageCircleOff, Users } from "lucide-react";
import { type DragEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useAnnounce } from "../app/announcer.tsx";
import { asEngineError, useEngine, useTopic } from "../app/engine.tsx";
import { useErrorText } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";
import { canView } from "../files/logic/kinds";
import { TransferList } from "../files/transfer-list";
import { saveAs } from "../files/use-blob-url";
import { type Viewed, Viewer } from "../files/viewer";
import { PostLine } from "../find/post-line";
import { Composer, type ComposerHandle, type Mode } from "./composer";
import { useConversation, useConversationName, useFaceOf, useMembers, useTransfers, useWriting } from "./hooks";
import { jumpWanted } from "./jump";
import { harmlessName } from "./logic/text";
import type { RowActions } from "./parts/message";
import { MessageInfo } from "./parts/message-info";
import { type MenuAction, MessageMenu, type OpenMenu } from "./parts/message-menu";
import { UserText } from "./parts/user-text";
import { Timeline } from "./timeline";

/** One conversation: who is in it, what was written, and the field to write. */
export function ConversationPage({ group }: { group: Id }) {
  const { t } = useLingui();
  const conversation = useConversation(group);
  if (conversation === undefined) return <PageSkeleton label={t`Loading the conversation`} />;
  if (conversation === null) {
    return (
      <div className="grid flex-1 place-items-center bg-page">
        <h1 className="sr-only">
          <Trans>Conversation</Trans>
        </h1>
        <EmptyState
          icon={MessageCircleOff}
          title={t`This conversation is not on this device`}
          action={
            <Link to="/" className="text-brand-ink underline">
              <Trans>All conversations</Trans>
            </Link>
          }
        >
          <Trans>It may belong to another device of yours, or it has not arrived yet.</Trans>
        </EmptyState>
      </div>
    );
  }
  return <Page conversation={conversation} />;
}

type Question = { what: "delete" | "discard"; line: LineView } | { what: "link"; url: string };

function Page({ conversation }: { conversation: ConversationView }) {
  const { group } = conversation;
  const { t } = useLingui();
  const engine = useEngine();
  const announce = useAnnounce();
  const errorText = useErrorText();
  const app = useTopic("app", {});
  const { members, whoIs } = useMembers(group);
  const { uploads, downloads } = useTransfers(group);
  const [mode, setMode] = useState<Mode>({ kind: "new" });
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const [info, setInfo] = useState<LineView | null>(null);
  const [viewed, setViewed] = useState<Viewed | null>(null);
  const [dropping, setDropping] = useState(false);
  const composer = useRef<ComposerHandle>(null);
  const toNewest = useRef<() => void>(() => {});
  const lastMine = useRef<LineView | null>(null);
  const readOnly = conversation.left;
  const me = app?.me?.official ?? null;

  const failed = useCallback((error: unknown) => toast({ text: errorText(error) }), [errorText]);
  const react = useCallback(
    (line: LineView, emoji: string, remove: boolean) => {
      if (line.message) engine.call("react", { group, message: line.message, emoji, remove }).catch(failed);
    },
    [engine, failed, group],
  );
  const save = useCallback(
    (line: LineView) => {
      if (!line.message || !line.file) return;
      const name = harmlessName(line.file.name);
      engine.download({ group, message: line.message }).then(
        (blob) => saveAs(blob, name),
        // Whoever cancelled it knows.
        (error) => asEngineError(error).code !== "client.transfer_cancelled" && failed(error),
      );
    },
    [engine, failed, group],
  );

  const actions = useMemo<RowActions>(
    () => ({
      openMenu: (line, anchor) => setMenu({ line, anchor }),
      react,
      goTo: () => {},
      openLink: (url) => setQuestion({ what: "link", url }),
      openFile: (line) => {
        if (line.message && line.file && canView(line.file.media_type, line.file.size))
          setViewed({ group, message: line.message, file: line.file });
        else save(line);
      },
      saveFile: save,
      retry: (line) => {
        if (line.message) engine.call("retry", { group, message: line.message }).catch(failed);
      },
      discard: (line) => setQuestion({ what: "discard", line }),
    }),
    [engine, failed, group, react, save],
  );

  const act = (action: MenuAction, line: LineView) => {
    switch (action) {
      case "reply":
      case "edit":
        setMode({ kind: action, line });
        break;
      case "copy":
        navigator.clipboard.writeText(line.text).then(
          () => toast({ text: t`Copied` }),
          () => toast({ text: t`The browser did not allow copying.` }),
        );
        break;
      case "info":
        setInfo(line);
        break;
      case "retry":
        actions.retry(line);
        break;
      case "delete":
      case "discard":
        setQuestion({ what: action, line });
        break;
    }
  };

  /** Keys on a focused message: as in its menu. */
  const onKey = (line: LineView, key: string, anchor: Element): boolean => {
    const atServer = line.status !== "failed" && line.status !== "queued" && !line.deleted && line.message !== null;
    if (key === "Enter" || key === " " || key === "ContextMenu") {
      if (line.deleted || !line.message) return false;
      setMenu({ line, anchor });
      return true;
    }
    const keys: Record<string, boolean> = {
      r: atServer && !readOnly,
      e: atServer && !readOnly && line.mine && line.text !== "" && !line.file,
      c: line.text !== "",
      i: atServer && line.mine,
      Delete: atServer && !readOnly && line.mine,
    };
    if (key === "+" && atServer && !readOnly) {
      setMenu({ line, anchor, picker: true });
      return true;
    }
    if (!keys[key]) return false;
    const names: Record<string, MenuAction> = { r: "reply", e: "edit", c: "copy", i: "info", Delete: "delete" };
    act(names[key] as MenuAction, line);
    return true;
  };

  const confirm = () => {
    if (!question || question.what === "link") return;
    setQuestion(null);
    const message = question.line.message;
    if (!message) return;
    engine
      .call(question.what, { group, message })
      .then(() => announce(question.what === "delete" ? t`Message deleted` : t`Message discarded`), failed);
  };

  // Focus goes to the field on wide screens; on a phone the keyboard would cover the messages. A message that was asked
  // for takes it itself.
  const [forMessage] = useState(() => jumpWanted(group));
  useEffect(() => {
    if (!forMessage && matchMedia("(min-width: 768px) and (pointer: fine)").matches) composer.current?.focus();
  }, [forMessage]);

  const drag = useDrop((files) => composer.current?.addFiles(files), setDropping, !readOnly);

  return (
    <div className="relative flex min-h-0 min-w-0 flex-1 flex-col bg-page" {...drag}>
      <Header conversation={conversation} />
      {conversation.alarms > 0 && (
        <Banner
          flush
          tone="warn"
          action={
            <Link to="/c/$group/info" params={{ group }} className="font-medium underline">{t`See what happened`}</Link>
          }
        >
          <Trans>Something in this conversation could not be verified.</Trans>
        </Banner>
      )}
      <Timeline
        conversation={conversation}
        members={members}
        whoIs={whoIs}
        me={me}
        readOnly={readOnly}
        downloads={downloads}
        actions={actions}
        toNewest={toNewest}
        lastMine={lastMine}
        onKey={onKey}
        onLeave={() => composer.current?.focus()}
      />
      <WritingLine group={group} whoIs={whoIs} />
      <TransferList transfers={uploads} onError={failed} />
      <Composer
        ref={composer}
        conversation={conversation}
        members={members}
        whoIs={whoIs}
        offline={app?.connection !== "online"}
        mode={mode}
        onMode={setMode}
        onSent={() => toNewest.current()}
        onEditLast={() => lastMine.current && setMode({ kind: "edit", line: lastMine.current })}
      />
      {dropping && (
        <div className="pointer-events-none absolute inset-2 z-10 grid place-items-center rounded-card border-2 border-dashed border-brand bg-brand-soft/95 text-brand-ink">
          <p className="flex items-center gap-3 text-lg font-semibold">
            <FileUp aria-hidden />
            <Trans>Drop files here to send them</Trans>
          </p>
        </div>
      )}
      <MessageMenu open={menu} readOnly={readOnly} onClose={() => setMenu(null)} onAction={act} onReact={react} />
      <MessageInfo group={group} line={info} whoIs={whoIs} onClose={() => setInfo(null)} />
      <Viewer viewed={viewed} onClose={() => setViewed(null)} />
      <Confirm
        isOpen={question?.what === "delete" || question?.what === "discard"}
        title={question?.what === "discard" ? t`Discard this message?` : t`Delete for everyone?`}
        closeLabel={t`Keep`}
        confirmLabel={question?.what === "discard" ? t`Discard` : t`Delete for everyone`}
        kind="danger"
        onClose={() => setQuestion(null)}
        onConfirm={confirm}
      >
        {question?.what === "discard" ? (
          <Trans>It was never sent. Its text is lost.</Trans>
        ) : (
          <Trans>
            The message is removed from the devices of all members. Somebody may have read or copied it already.
          </Trans>
        )}
      </Confirm>
      <LinkQuestion url={question?.what === "link" ? question.url : null} onClose={() => setQuestion(null)} />
    </div>
  );
}

function Header({ conversation }: { conversation: ConversationView }) {
  const { group } = conversation;
  const { t } = useLingui();
  const format = useFormat();
  const navigate = useNavigate();
  const nameOf = useConversationName();
  const faceOf = useFaceOf();
  const name = nameOf(conversation);
  const count = conversation.members.length;
  const me = useTopic("app", {})?.me?.official;
  const other = conversation.direct ? conversation.members.find((official) => official !== me) : undefined;
  return (
    <TopBar
      back={
        <>
          <IconButton
            icon={ArrowLeft}
            label={t`All conversations`}
            className="md:hidden"
            onPress={() => void navigate({ to: "/" })}
          />
          <span className="w-2 max-md:hidden" />
          <Avatar id={faceOf(conversation)} name={name} group={!conversation.direct} />
        </>
      }
      title={
        <Link to="/c/$group/info" params={{ group }} className="rounded hover:underline">
          <UserText>{name}</UserText>
        </Link>
      }
      subtitle={
        other ? (
          <PostLine official={other} otherwise={t`End-to-end encrypted`} />
        ) : conversation.direct ? (
          t`End-to-end encrypted`
        ) : (
          t`${format.number(count)} members`
        )
      }
    >
      <IconButton
        icon={Users}
        label={t`Conversation details`}
        onPress={() => void navigate({ to: "/c/$group/info", params: { group } })}
      />
    </TopBar>
  );
}

function WritingLine({ group, whoIs }: { group: Id; whoIs: Parameters<ReturnType<typeof useWriting>>[1] }) {
  const writing = useWriting()(group, whoIs);
  if (!writing) return null;
  return (
    <p className="flex shrink-0 items-center gap-2 px-5 pb-1.5 text-sm text-muted">
      <span className="flex gap-1" aria-hidden>
        {[0, 150, 300].map((delay) => (
          <span
            key={delay}
            className="size-1.5 animate-bounce rounded-full bg-current"
            style={{ animationDelay: `${delay}ms` }}
          />
        ))}
      </span>
      <UserText>{writing}</UserText>
    </p>
  );
}

/** A link is never opened at once: who wrote it decides what stands behind it. */
function LinkQuestion({ url, onClose }: { url: string | null; onClose(): void }) {
  const { t } = useLingui();
  const host = url ? new URL(url).host : "";
  return (
    <Confirm
      isOpen={url !== null}
      title={t`Open this address?`}
      closeLabel={t`Cancel`}
      confirmLabel={t`Open in a new tab`}
      onClose={onClose}
      onConfirm={() => {
        if (url) open(url, "_blank", "noopener,noreferrer");
        onClose();
      }}
    >
      <p>
        <Trans>It leads out of this app, to:</Trans>
      </p>
      <p className="code my-2 rounded-control bg-sunken p-3 break-all">
        <b>{host}</b>
        <br />
        {url}
      </p>
      <Button
        size="small"
        onPress={() => {
          if (url) void navigator.clipboard.writeText(url).then(() => toast({ text: t`Address copied` }));
          onClose();
        }}
      >
        <Trans>Copy address</Trans>
      </Button>
    </Confirm>
  );
}

function useDrop(onFiles: (files: File[]) => void, onOver: (over: boolean) => void, enabled: boolean) {
  const depth = useRef(0);
  const carriesFiles = (event: DragEvent) => enabled && event.dataTransfer.types.includes("Files");
  return {
    onDragEnter: (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current += 1;
      onOver(true);
    },
    onDragOver: (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault();
    },
    onDragLeave: (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current -= 1;
      if (depth.current <= 0) onOver(false);
    },
    onDrop: (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current = 0;
      onOver(false);
      onFiles([...event.dataTransfer.files]);
    },
  };
}

function PageSkeleton({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="flex min-h-0 flex-1 flex-col bg-page">
      <div className="flex min-h-16 items-center gap-3 border-b border-line bg-surface px-4">
        <Skeleton className="size-11 rounded-full" />
        <Skeleton className="h-5 w-40" />
      </div>
      <div className="flex-1" />
    </div>
  );
}
