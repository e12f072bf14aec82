import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { cx } from "../classes.ts";
import { Button, type ButtonKind, IconButton } from "./button.tsx";

export interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose(): void;
  closeLabel: string;
  children: ReactNode;
  /** Buttons; the main one last. */
  actions?: ReactNode;
  size?: "small" | "normal" | "large";
  /** Only a button closes it: for what must be decided. */
  firm?: boolean;
  alert?: boolean;
}

const WIDTHS = { small: "sm:max-w-sm", normal: "sm:max-w-lg", large: "sm:max-w-3xl" };

/** A sheet from below on a phone, a card in the middle elsewhere. */
export function Dialog({
  title,
  isOpen,
  onClose,
  closeLabel,
  children,
  actions,
  size = "normal",
  firm,
  alert,
}: DialogProps) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={!firm}
      isKeyboardDismissDisabled={firm}
      className="fixed inset-0 z-40 flex items-end justify-center bg-scrim sm:items-center sm:p-6 animate-fade"
    >
      <Modal
        className={cx(
          "max-h-[92dvh] w-full overflow-hidden rounded-t-card bg-raised text-ink shadow-overlay sm:rounded-card animate-rise",
          WIDTHS[size],
        )}
      >
        <AriaDialog role={alert ? "alertdialog" : "dialog"} className="flex max-h-[92dvh] flex-col outline-none">
          <header className="flex items-center justify-between gap-3 ps-5 pe-3 pt-3">
            <Heading slot="title" className="text-lg font-semibold">
              {title}
            </Heading>
            {!firm && <IconButton icon={X} label={closeLabel} onPress={onClose} />}
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-3">{children}</div>
          {actions && <footer className="flex flex-wrap justify-end gap-2 px-5 pt-2 pb-5">{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface ConfirmProps extends Omit<DialogProps, "actions" | "alert" | "size"> {
  confirmLabel: string;
  kind?: ButtonKind;
  busy?: boolean;
  onConfirm(): void;
}

/** A question with one consequence. */
export function Confirm({ confirmLabel, kind = "primary", busy, onConfirm, ...props }: ConfirmProps) {
  return (
    <Dialog
      {...props}
      alert
      size="small"
      actions={
        <>
          <Button onPress={props.onClose}>{props.closeLabel}</Button>
          <Button kind={kind} busy={busy} onPress={onConfirm} autoFocus={kind !== "danger"}>
            {confirmLabel}
          </Button>
        </>
      }
    />
  );
}
