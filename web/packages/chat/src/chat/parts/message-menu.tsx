import { useLingui } from "@lingui/react/macro";
import type { LineView } from "@pakawaaz/api/protocol";
import { cx, MenuItem } from "@pakawaaz/ui";
import { Copy, CornerUpLeft, Info, Pencil, RotateCcw, SmilePlus, Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { Menu as AriaMenu, Button, Dialog, Popover } from "react-aria-components";
import { QUICK } from "../logic/emoji";
import { EmojiPicker } from "./emoji-picker";

export interface OpenMenu {
  line: LineView;
  anchor: Element;
  picker?: boolean;
}
export type MenuAction = "reply" | "copy" | "edit" | "info" | "delete" | "retry" | "discard";

export interface MessageMenuProps {
  open: OpenMenu | null;
  readOnly: boolean;
  onClose(): void;
  onAction(action: MenuAction, line: LineView): void;
  onReact(line: LineView, emoji: string, remove: boolean): void;
}

/** What can be done with a message: reactions in a row, the rest below. One for the whole page. */
export function MessageMenu({ open, readOnly, onClose, onAction, onReact }: MessageMenuProps) {
  return (
    <Popover
      isOpen={open !== null}
      onOpenChange={(isOpen) => !isOpen && onClose()}
      triggerRef={{ current: open?.anchor ?? null }}
      placement={open?.line.mine ? "bottom end" : "bottom start"}
      className="rounded-card border border-line bg-raised p-1.5 text-ink shadow-overlay animate-fade"
    >
      {open && (
        <Inside
          key={open.line.key}
          open={open}
          readOnly={readOnly}
          onClose={onClose}
          onAction={onAction}
          onReact={onReact}
        />
      )}
    </Popover>
  );
}

function Inside({ open, readOnly, onClose, onAction, onReact }: MessageMenuProps & { open: OpenMenu }) {
  const { t } = useLingui();
  const [picking, setPicking] = useState(open.picker ?? false);
  const { line } = open;
  const chosen = line.reactions.filter((reaction) => reaction.mine).map((reaction) => reaction.emoji);
  const atServer = line.status !== "failed" && line.status !== "queued";
  const act = (action: MenuAction) => () => {
    onClose();
    onAction(action, line);
  };
  const react = (emoji: string) => {
    onClose();
    onReact(line, emoji, chosen.includes(emoji));
  };
  return (
    <Dialog aria-label={t`Message actions`} className="outline-none">
      {!readOnly && atServer && !picking && (
        <div role="toolbar" aria-label={t`React`} className="mb-1 flex items-center gap-0.5 border-b border-line pb-1">
          {QUICK.map((emoji) => (
            <Button
              key={emoji}
              aria-label={t`React with ${emoji}`}
              onPress={() => react(emoji)}
              className={cx(
                "grid size-10 place-items-center rounded-full text-xl leading-none hover:bg-hover",
                chosen.includes(emoji) && "bg-brand-soft",
              )}
            >
              <span aria-hidden>{emoji}</span>
            </Button>
          ))}
          <Button
            aria-label={t`More emoji`}
            onPress={() => setPicking(true)}
            className="grid size-10 place-items-center rounded-full text-muted hover:bg-hover"
          >
            <SmilePlus size={20} aria-hidden />
          </Button>
        </div>
      )}
      {picking ? (
        <div className="p-1">
          <EmojiPicker chosen={chosen} onPick={react} />
        </div>
      ) : (
        <AriaMenu aria-label={t`Message actions`} autoFocus="first" className="min-w-56 outline-none">
          {!readOnly && atServer && (
            <MenuItem label={t`Reply`} icon={CornerUpLeft} shortcut="R" onAction={act("reply")} />
          )}
          {line.text && <MenuItem label={t`Copy text`} icon={Copy} shortcut="C" onAction={act("copy")} />}
          {!readOnly && atServer && line.mine && line.text && !line.file && (
            <MenuItem label={t`Edit`} icon={Pencil} shortcut="E" onAction={act("edit")} />
          )}
          {line.mine && atServer && (
            <MenuItem label={t`Who received and read it`} icon={Info} shortcut="I" onAction={act("info")} />
          )}
          {line.status === "failed" && <MenuItem label={t`Send again`} icon={RotateCcw} onAction={act("retry")} />}
          {line.status === "failed" && <MenuItem label={t`Discard`} icon={Undo2} danger onAction={act("discard")} />}
          {!readOnly && atServer && line.mine && (
            <MenuItem label={t`Delete for everyone`} icon={Trash2} danger shortcut="Del" onAction={act("delete")} />
          )}
        </AriaMenu>
      )}
    </Dialog>
  );
}
