import { X } from "lucide-react";
import {
  UNSTABLE_Toast as AriaToast,
  Text,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from "react-aria-components";
import { Button, IconButton } from "./button.tsx";

export interface ToastContentProps {
  text: string;
  actionLabel?: string;
  onAction?(): void;
}

const queue = new ToastQueue<ToastContentProps>({ maxVisibleToasts: 3 });

/** Says something in passing. What must not be missed is a Banner. */
export function toast(content: ToastContentProps, milliseconds = 6_000): void {
  queue.add(content, { timeout: milliseconds });
}

/** Once, at the top of the app. */
export function Toasts({ label, closeLabel }: { label: string; closeLabel: string }) {
  return (
    <ToastRegion
      queue={queue}
      aria-label={label}
      className="fixed inset-x-3 bottom-20 z-50 flex flex-col gap-2 outline-none sm:inset-x-auto sm:bottom-6 sm:end-6 sm:w-96"
    >
      {({ toast: shown }) => (
        <AriaToast
          toast={shown}
          className="flex items-center gap-3 rounded-control bg-ink py-2 ps-4 pe-2 text-page shadow-overlay animate-rise"
        >
          <ToastContent className="flex min-w-0 flex-1 items-center gap-3">
            <Text slot="title" className="min-w-0 flex-1">
              {shown.content.text}
            </Text>
            {shown.content.actionLabel && (
              <Button
                size="small"
                onPress={() => {
                  shown.content.onAction?.();
                  queue.close(shown.key);
                }}
              >
                {shown.content.actionLabel}
              </Button>
            )}
          </ToastContent>
          <IconButton
            slot="close"
            size="small"
            icon={X}
            label={closeLabel}
            className="text-page hover:bg-transparent"
          />
        </AriaToast>
      )}
    </ToastRegion>
  );
}
