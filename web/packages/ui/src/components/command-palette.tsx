import { type LucideIcon, Search } from "lucide-react";
import { Autocomplete, Dialog, Input, Menu, MenuItem, Modal, ModalOverlay, SearchField } from "react-aria-components";
import { ShortcutKey } from "./menu.tsx";

export interface PaletteEntry {
  id: string;
  title: string;
  detail?: string;
  icon?: LucideIcon;
  shortcut?: string;
  onAction(): void;
}

export interface CommandPaletteProps {
  isOpen: boolean;
  onClose(): void;
  label: string;
  placeholder: string;
  emptyText: string;
  entries: PaletteEntry[];
  /** The text and its filter belong to the caller: it may search elsewhere as well. */
  text: string;
  onText(text: string): void;
}

/** A field and a list: what is typed narrows the list, Enter does the first. */
export function CommandPalette({
  isOpen,
  onClose,
  label,
  placeholder,
  emptyText,
  entries,
  text,
  onText,
}: CommandPaletteProps) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className="fixed inset-0 z-50 flex items-start justify-center bg-scrim p-3 pt-[10dvh] animate-fade"
    >
      <Modal className="w-full max-w-xl overflow-hidden rounded-card bg-raised text-ink shadow-overlay animate-rise">
        <Dialog aria-label={label} className="flex max-h-[70dvh] flex-col outline-none">
          <Autocomplete inputValue={text} onInputChange={onText}>
            <SearchField aria-label={label} autoFocus className="flex items-center gap-3 border-b border-line px-4">
              <Search size={20} aria-hidden className="text-muted" />
              <Input
                placeholder={placeholder}
                dir="auto"
                className="min-h-14 w-full bg-transparent text-lg outline-none placeholder:text-muted [&::-webkit-search-cancel-button]:hidden"
              />
            </SearchField>
            {/* Arrow keys reach the entries from the field; what scrolls must be reachable by itself as well. */}
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: as said above */}
            <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto p-2 outline-offset-[-2px]">
              <Menu
                aria-label={label}
                items={entries}
                className="outline-none"
                renderEmptyState={() => <p className="p-6 text-center text-muted">{emptyText}</p>}
              >
                {(entry) => (
                  <MenuItem
                    id={entry.id}
                    textValue={entry.title}
                    onAction={() => {
                      onClose();
                      entry.onAction();
                    }}
                    className="flex min-h-12 cursor-default items-center gap-3 rounded-control px-3 outline-none focused:bg-hover"
                  >
                    {entry.icon && <entry.icon size={20} aria-hidden className="text-muted" />}
                    <span className="min-w-0 flex-1">
                      <span className="block truncate">{entry.title}</span>
                      {entry.detail && <span className="block truncate text-sm text-muted">{entry.detail}</span>}
                    </span>
                    {entry.shortcut && (
                      <ShortcutKey of={entry.shortcut} className="rounded border border-line px-1.5 text-muted" />
                    )}
                  </MenuItem>
                )}
              </Menu>
            </div>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
