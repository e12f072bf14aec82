import type { LucideIcon } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  Keyboard,
  MenuTrigger,
  Popover,
  Separator,
  Text,
} from "react-aria-components";
import { cx } from "../classes.ts";
import { Glyph } from "./glyph.tsx";

/** `trigger` is a Button or IconButton. */
export function Menu({ trigger, label, children }: { trigger: ReactElement; label: string; children: ReactNode }) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className="min-w-52 rounded-control border border-line bg-raised p-1 text-ink shadow-overlay animate-fade">
        <AriaMenu aria-label={label} className="max-h-[70dvh] overflow-y-auto outline-none">
          {children}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

export interface MenuItemProps {
  id?: string;
  label: string;
  icon?: LucideIcon;
  shortcut?: string;
  danger?: boolean;
  disabled?: boolean;
  onAction(): void;
}

export function MenuItem({ id, label, icon, shortcut, danger, disabled, onAction }: MenuItemProps) {
  return (
    <AriaMenuItem
      id={id}
      textValue={label}
      isDisabled={disabled}
      onAction={onAction}
      className={cx(
        "flex min-h-11 cursor-default items-center gap-3 rounded-md px-3 outline-none focused:bg-hover data-[disabled]:opacity-50",
        danger && "text-danger-ink",
      )}
    >
      {icon && <Glyph icon={icon} size={18} />}
      <Text slot="label" className="flex-1">
        {label}
      </Text>
      {shortcut && <ShortcutKey of={shortcut} className="text-muted" />}
    </AriaMenuItem>
  );
}

/**
 * The key that does what an entry does. It is drawn, not written, so that it is no part of the entry's name: screen readers
 * say it as the description, and voice control presses the entry by the words that are seen.
 */
export function ShortcutKey({ of, className }: { of: string; className?: string }) {
  return <Keyboard data-letter={of} className={cx("code text-xs before:content-[attr(data-letter)]", className)} />;
}

export function MenuLine() {
  return <Separator className="my-1 border-t border-line" />;
}
