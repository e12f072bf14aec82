import { useLingui } from "@lingui/react/macro";
import { toast } from "@pakawaaz/ui";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import { useAnnounce } from "./announcer.tsx";
import { useHappenings, useTopic } from "./engine.tsx";
import { useAlarmText } from "./errors.tsx";
import { useFormat } from "./i18n.tsx";
import { usePreferences } from "./preferences.tsx";
import { onNotificationPressed, showNotification } from "./show-notification.ts";

/** Says what happens: to the screen reader, in the title, and as notifications, which never carry content. */
export function Notices({ unread }: { unread: number }) {
  const { t } = useLingui();
  const format = useFormat();
  const announce = useAnnounce();
  const alarmText = useAlarmText();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const { notify } = usePreferences().preferences;
  const settled = new Set(
    useTopic("devices", {})
      ?.filter((d) => d.this_device || d.status !== "pending")
      .map((d) => d.device),
  );

  useEffect(() => {
    const name = t`Pakawaaz`;
    document.title = unread > 0 ? `(${format.number(unread)}) ${name}` : name;
  }, [unread, format, t]);

  const open = useCallback((group: string) => void navigate({ to: "/c/$group", params: { group } }), [navigate]);
  useEffect(() => onNotificationPressed(open), [open]);

  useHappenings((happening) => {
    switch (happening.what) {
      case "message": {
        if (happening.muted && !happening.mention) return;
        const { group } = happening;
        if (document.hidden) {
          if (notify && "Notification" in globalThis && Notification.permission === "granted") {
            // No name and no text: a locked screen shows it to everybody.
            const body = happening.mention ? t`You were mentioned` : t`New message`;
            showNotification(t`Pakawaaz`, body, group, () => open(group)).catch(() => {
              // The browser took the permission back; the title still counts.
            });
          }
          return;
        }
        if (pathname !== `/c/${group}`) announce(t`New message from ${format.name(happening.author_name)}`);
        return;
      }
      case "alarm":
        announce(alarmText(happening.kind), true);
        return;
      case "own_device":
        // The list of devices may be a moment behind; only what it knows to be settled is left out.
        if (settled.has(happening.device)) return;
        toast({
          text: t`A further device of yours waits for approval.`,
          actionLabel: t`Look`,
          onAction: () => void navigate({ to: "/devices" }),
        });
        announce(t`A further device of yours waits for approval.`, true);
        return;
      case "cut_off":
        return;
    }
  });
  return null;
}
