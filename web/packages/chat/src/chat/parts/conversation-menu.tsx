import { useLingui } from "@lingui/react/macro";
import type { ConversationView } from "@pakawaaz/api/protocol";
import { MenuItem, toast } from "@pakawaaz/ui";
import { useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Bell, BellOff, CheckCheck, Info, Pin, PinOff } from "lucide-react";
import { Menu as AriaMenu, Popover } from "react-aria-components";
import { useEngine } from "../../app/engine.tsx";
import { useErrorText } from "../../app/errors.tsx";

/** What the right button, the menu key or a long press offer on a conversation of the list. */
export function ConversationMenu({
  open,
  onClose,
}: {
  open: { conversation: ConversationView; anchor: Element } | null;
  onClose(): void;
}) {
  return (
    <Popover
      isOpen={open !== null}
      onOpenChange={(isOpen) => !isOpen && onClose()}
      triggerRef={{ current: open?.anchor ?? null }}
      placement="bottom"
      className="min-w-56 rounded-control border border-line bg-raised p-1 text-ink shadow-overlay animate-fade"
    >
      {open && <Inside conversation={open.conversation} onClose={onClose} />}
    </Popover>
  );
}

function Inside({ conversation, onClose }: { conversation: ConversationView; onClose(): void }) {
  const { t } = useLingui();
  const engine = useEngine();
  const navigate = useNavigate();
  const errorText = useErrorText();
  const { group, pinned, muted, archived, unread } = conversation;
  const failed = (error: unknown) => toast({ text: errorText(error) });
  const set = (change: Partial<{ pinned: boolean; muted: boolean; archived: boolean }>) => () =>
    void engine.call("set_flags", { group, pinned, muted, archived, ...change }).catch(failed);
  return (
    <AriaMenu aria-label={t`Conversation`} autoFocus="first" onClose={onClose} className="outline-none">
      {unread > 0 && (
        <MenuItem
          icon={CheckCheck}
          label={t`Mark as read`}
          onAction={() => void engine.call("mark_read", { group, up_to: null }).catch(failed)}
        />
      )}
      <MenuItem
        icon={pinned ? PinOff : Pin}
        label={pinned ? t`Unpin` : t`Pin to the top`}
        onAction={set({ pinned: !pinned })}
      />
      <MenuItem icon={muted ? Bell : BellOff} label={muted ? t`Unmute` : t`Mute`} onAction={set({ muted: !muted })} />
      <MenuItem
        icon={archived ? ArchiveRestore : Archive}
        label={archived ? t`Take out of the archive` : t`Archive`}
        onAction={set({ archived: !archived })}
      />
      <MenuItem
        icon={Info}
        label={t`Conversation details`}
        onAction={() => void navigate({ to: "/c/$group/info", params: { group } })}
      />
    </AriaMenu>
  );
}
