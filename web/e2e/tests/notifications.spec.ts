import { expect, test } from "../support/test.ts";

/** What this needs of a service worker's own world. */
interface Scope extends EventTarget {
  registration: ServiceWorkerRegistration;
  NotificationEvent: new (type: string, init: { notification: Notification }) => Event;
}

test("a message behind a hidden tab raises a notification that says neither from whom nor what", async ({
  demo,
  phones,
}) => {
  const phone = await phones.ready(undefined, { permissions: ["notifications"] });
  const { page } = phone;
  await phone.go("/settings/notifications");
  const wanted = page.getByRole("switch", { name: /^Notifications/ });
  await page.locator("label").filter({ has: wanted }).click();
  await expect(wanted).toBeChecked();
  await phone.writeTo(demo.answering());
  const conversation = new URL(page.url()).pathname;
  await page.evaluate(() => navigator.serviceWorker.ready);
  const raised = () =>
    page.evaluate(async () => {
      const all = await (await navigator.serviceWorker.ready).getNotifications();
      return all.map(({ title, body, tag }) => ({ title, body, tag }));
    });

  // While the tab is looked at, the message itself is the news.
  await phone.send("Is the summary ready?");
  await expect(page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
  expect(await raised()).toEqual([]);

  await phone.go("/");
  await phone.openChat(demo.answering().name.en);
  // Hidden before it is sent: the answer may come at once.
  await phone.hide();
  await phone.send("And the annexes?");
  await phone.go("/");
  await expect.poll(raised, { timeout: 30_000 }).toHaveLength(1);
  const [notification] = await raised();
  expect(notification).toEqual({
    title: "Pakawaaz",
    body: "New message",
    tag: conversation.split("/").at(-1),
  });

  // Pressing it leads to the conversation.
  const [worker] = phone.context.serviceWorkers();
  await worker?.evaluate(async () => {
    const scope = globalThis as unknown as Scope;
    const [shown] = await scope.registration.getNotifications();
    if (shown) scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification: shown }));
  });
  await expect(phone.composer()).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(conversation);
  await expect.poll(raised).toEqual([]);
});
