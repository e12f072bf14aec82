import { NextRelease } from "../support/bundle.ts";
import { expect, test } from "../support/test.ts";

test("the installed app opens without a server, keeps what is written, and takes a new release without losing a draft", async ({
  demo,
  phones,
}) => {
  const other = demo.answering();
  // One of them is never reloaded: its page came from the server, before the service worker.
  const [asma, bilal] = [await phones.ready(), await phones.ready()];
  for (const phone of [asma, bilal]) {
    await phone.writeTo(other);
    await phone.send("Before the server went away.");
    await expect(phone.page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
    await phone.page.evaluate(() => navigator.serviceWorker.ready);
  }
  const release = await NextRelease.make();
  try {
    await demo.down();
    await asma.context.setOffline(true);

    await test.step("opened offline: the PIN, then everything that was there", async () => {
      await asma.page.reload();
      await expect(asma.page.getByRole("heading", { name: "Enter your PIN" })).toBeVisible();
      await asma.unlock();
      await asma.openChat(other.name.en);
      await expect(asma.message("Before the server went away.")).toBeVisible();
      await expect(asma.page.getByRole("article")).toHaveCount(2);
      await asma.send("Written while the server was gone.");
      await expect(asma.message("Written while the server was gone.")).toHaveAccessibleName(/Queued|Waiting/);
      await expect(asma.page.getByText("No connection. One message waits here and goes out by itself.")).toBeVisible();
    });

    await demo.up(release.folder);

    await test.step("back online: what was written goes out, once", async () => {
      await asma.context.setOffline(false);
      await asma.expectStatus("Written while the server was gone.", "Delivered");
      await expect(asma.page.getByRole("article")).toHaveCount(4, { timeout: 30_000 });
    });

    for (const phone of [asma, bilal]) {
      await test.step(`the new release, on ${phone === asma ? "the reloaded phone" : "the phone that was never reloaded"}`, async () => {
        const { page } = phone;
        // What the app does every hour.
        await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
        const banner = page.getByText("A new version of the app is ready.");
        await expect(banner).toBeVisible();
        await expect(page.locator("meta[name=release]"), "nothing changes before the owner agrees").toHaveCount(0);
        await phone.composer().fill("Not sent yet: the list of");
        await page.getByRole("button", { name: "Reload now" }).click();
        await expect(page.locator("meta[name=release]")).toHaveAttribute("content", "next");
        await phone.unlock();
        await expect(phone.composer()).toHaveValue("Not sent yet: the list of");
        await expect(banner).toHaveCount(0);
        await expect(page.getByRole("article").filter({ hasText: "Before the server went away." })).toHaveCount(1);
      });
    }
  } finally {
    await demo.up();
    release.remove();
  }
});
