/**
 * Shows a notification that leads to a conversation. The service worker does it where there is one: telephones let
 * nobody else, and what it shows can still be pressed after this tab is gone.
 */
export async function showNotification(title: string, body: string, group: string, open: () => void): Promise<void> {
  // One for each conversation: a newer one takes the place of the one before.
  const options = { body, icon: "/icon-192.png", tag: group, data: { group } };
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) {
    await registration.showNotification(title, options);
    return;
  }
  const shown = new Notification(title, options);
  shown.onclick = () => {
    window.focus();
    open();
    shown.close();
  };
}

/** Hears which conversation a pressed notification leads to; gives the end of listening. */
export function onNotificationPressed(open: (group: string) => void): () => void {
  const hear = ({ data }: MessageEvent) => {
    const group = (data as { open?: unknown } | null)?.open;
    if (typeof group === "string") open(group);
  };
  navigator.serviceWorker?.addEventListener("message", hear);
  return () => navigator.serviceWorker?.removeEventListener("message", hear);
}
