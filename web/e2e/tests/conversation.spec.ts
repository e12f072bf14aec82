import { glimpse } from "../support/glimpse.ts";
import { expect, test } from "../support/test.ts";

test("an official gets a phone at the desk and talks to somebody who answers", async ({ demo, phones, browser }) => {
  const me = demo.people.find((p) => p.suggested);
  if (!me) throw new Error("nobody is suggested");
  const desk = await browser.newPage();
  await desk.goto(demo.desk);
  await desk.getByRole("button", { name: "Open phone (start here)" }).click();
  const card = desk.getByRole("textbox", { name: "Enrolment card" });
  await expect(card).toHaveValue(/^PKW1\./);
  const text = await card.inputValue();
  const phone = await phones.open(me, me.phone);
  await phone.enrol({ card: text, voucher: "", phone: me.phone, device: 1 });
  await phone.expectReady();
  // The Deputy Secretary writes first.
  await expect(phone.page.getByText("The budget review has been moved to Thursday").first()).toBeVisible({
    timeout: 60_000,
  });
  const other = demo.answering();
  await phone.writeTo(other);
  await phone.send("Assalam-o-alaikum. Is the summary ready?");
  await phone.expectStatus("Is the summary ready?", "Read");
  await expect(phone.page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
  await desk.close();
});

test("two officials exchange messages, replies, edits, reactions and deletions", async ({ demo, phones }) => {
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first);
  const bilal = await phones.ready(second);
  await asma.writeTo(second);
  await asma.send("The draft is ready for your signature.");
  await bilal.openChat(first.name.en);
  await expect(bilal.message("The draft is ready")).toBeVisible();
  await asma.expectStatus("The draft is ready", "Read");

  await bilal.act("The draft is ready", "Reply");
  await bilal.send("Signed, and sent back.");
  await expect(asma.message("Signed, and sent back.")).toContainText("The draft is ready");
  // The quote leads to what it answers, and the keyboard goes on from there.
  const marked = await glimpse(asma.page, 'article.animate-mark[aria-label^="You."]', "The draft is ready");
  await asma
    .message("Signed, and sent back.")
    .getByRole("button", { name: /The draft is ready/ })
    .click();
  await expect(asma.page.getByRole("article", { name: /^You\..*The draft is ready/ })).toBeFocused();
  await marked();
  await asma.page.keyboard.press("ArrowDown");
  await expect(asma.message("Signed, and sent back.")).toBeFocused();

  await bilal.expectStatus("Signed, and sent back.", "Sent");
  await bilal.act("Signed, and sent back.", "Edit");
  await bilal.page.getByRole("textbox", { name: "Edit message" }).fill("Signed and sent back at noon.");
  await bilal.page.getByRole("button", { name: "Save change" }).click();
  await expect(asma.message("Signed and sent back at noon.")).toContainText("Edited");

  await asma.message("Signed and sent back at noon.").click({ button: "right" });
  await asma.page.getByRole("button", { name: "React with 👍" }).click();
  await expect(bilal.message("Signed and sent back at noon.")).toContainText("👍");

  // The answer quotes it, so it is the older of two.
  await asma.act("The draft is ready", "Delete for everyone", "oldest");
  await asma.page.getByRole("button", { name: "Delete for everyone" }).click();
  await expect(bilal.page.getByText("Message deleted").first()).toBeVisible();

  // Both see the same after a reload: nothing of it lives only on a screen.
  for (const phone of [asma, bilal]) {
    await phone.page.reload();
    await phone.unlock();
    await expect(phone.message("Signed and sent back at noon.")).toContainText("👍");
    await expect(phone.page.getByText("The draft is ready for your signature.")).toHaveCount(0);
  }
});

test("written offline, sent on reconnect; a reload in between loses nothing", async ({ demo, phones }) => {
  const phone = await phones.ready();
  await phone.writeTo(demo.answering());
  await phone.send("Before the line went down.");
  await phone.expectStatus("Before the line went down.", "Delivered");
  await phone.context.setOffline(true);
  await phone.send("Written without a line.");
  await expect(phone.message("Written without a line.")).toHaveAccessibleName(/Queued|Waiting/);
  const banner = phone.page.getByRole("region", { name: "State of the app" });
  await expect(banner).toContainText("One message waits here");
  const tried = await glimpse(phone.page, "button", "Trying…");
  await banner.getByRole("button", { name: "Try now" }).click();
  await tried();
  // In vain, and it can be pressed again.
  await expect(banner.getByRole("button", { name: "Try now" })).toBeEnabled();
  await phone.context.setOffline(false);
  await phone.expectStatus("Written without a line.", "Delivered");
  await expect(phone.message("Before the line went down.")).toHaveCount(1);
  await expect(phone.message("Written without a line.")).toHaveCount(1);
});

test("a group of three with a member at a terminal", async ({ demo, phones }) => {
  const third = demo.terminal();
  const [first, second] = [demo.somebody(), demo.somebody()];
  const asma = await phones.ready(first);
  const bilal = await phones.ready(second);
  await asma.go(`/new`);
  for (const person of [second, third]) {
    await asma.lookFor(person.username);
    await asma.page
      .getByRole("option", { name: new RegExp(person.name.en) })
      .first()
      .click();
  }
  await asma.page.getByRole("textbox", { name: "Title of the group (optional)" }).fill("Budget committee");
  await asma.page.getByRole("button", { name: "Start the conversation" }).click();
  await asma.send("First meeting on Monday.");
  await bilal.openChat("Budget committee");
  await expect(bilal.message("First meeting on Monday.")).toBeVisible();
  const read = await demo.cli(third, "conversations", "--json");
  expect(read).toContain("Budget committee");
  await demo.cli(third, "send", "Budget committee", "Noted, from the terminal.");
  for (const phone of [asma, bilal])
    await expect(phone.message("Noted, from the terminal.")).toBeVisible({ timeout: 30_000 });
});

test("a server that was away is found again at once by trying, and then what was looked for too", async ({
  demo,
  phones,
}) => {
  test.setTimeout(180_000);
  const phone = await phones.ready();
  await phone.go("/find");
  const banner = phone.page.getByRole("region", { name: "State of the app" });
  await demo.down();
  const retry = banner.getByRole("button", { name: "Try now" });
  await expect(retry).toBeVisible({ timeout: 30_000 });
  const other = demo.answering();
  await phone.lookFor(other.username);
  await expect(phone.page.getByText("The directory could not be reached")).toBeVisible();
  await demo.up();
  // Pressed until the server listens again; each press is an attempt of its own.
  await expect(async () => {
    if (await retry.isVisible()) await retry.click({ timeout: 1_000 });
    await expect(banner).not.toContainText("No connection", { timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  await expect(phone.page.getByText(other.name.en).first()).toBeVisible();

  await test.step("a search that fails although the server is there goes on by itself as well", async () => {
    const searches = "**/v1/directory/officials?*";
    await phone.page.route(searches, (route) => route.abort("connectionreset"));
    const [somebody] = demo.people.filter(({ played, username }) => played && username !== other.username);
    await phone.lookFor(somebody?.username ?? "");
    await expect(phone.page.getByText("The directory could not be reached")).toBeVisible();
    await phone.page.unroute(searches);
    await expect(phone.page.getByText(somebody?.name.en ?? "").first()).toBeVisible();
  });
});

test("whom one writes to: post and organisation above the messages, and what to do about who has no device", async ({
  demo,
  phones,
}) => {
  const phone = await phones.ready(undefined, { width: 1280, height: 800 });
  const { page } = phone;
  const other = demo.answering();
  await phone.writeTo(other);
  const header = page.locator("header").filter({ hasText: other.name.en });
  await expect(header).toContainText(other.title.en);
  await expect(header).toContainText(/Ministry/);
  await expect(header).toContainText("Appointment checked");

  await test.step("the button for a short message's actions covers nothing of it", async () => {
    await phone.send("ok");
    const row = phone.message("ok");
    await row.hover();
    const button = row.getByRole("button", { name: "Message actions" });
    await expect(button).toBeVisible();
    const [over, under] = [await button.boundingBox(), await row.getByText("ok", { exact: true }).boundingBox()];
    const bubble = await row.locator(".rounded-bubble").boundingBox();
    if (!over || !under || !bubble) throw new Error("not drawn");
    expect(over.x + over.width, "beside the bubble").toBeLessThanOrEqual(bubble.x);
    expect(under.x).toBeGreaterThan(over.x + over.width);
    await button.click();
    await expect(page.getByRole("menuitem", { name: "Reply", exact: true })).toBeVisible();
    await page.keyboard.press("Escape");
  });

  await test.step("somebody without a device is named, with what to do", async () => {
    const absent = demo.people.filter((person) => !person.played && !person.suggested).at(-1);
    if (!absent) throw new Error("everybody has a phone");
    await phone.go("/find");
    await phone.lookFor(absent.username);
    await page.getByText(absent.name.en).first().click();
    await page.getByRole("button", { name: "Write a message" }).click();
    const told = page.getByRole("alert").filter({ hasText: "device" });
    await expect(told).toContainText(`${absent.name.en} has no device yet`);
    await expect(told).toContainText("enrol with the card from their administrator");

    await phone.go("/new");
    for (const person of [absent, other]) {
      await phone.lookFor(person.username);
      await page
        .getByRole("option", { name: new RegExp(person.name.en) })
        .first()
        .click();
    }
    await page.getByRole("button", { name: "Start the conversation" }).click();
    await expect(told).toContainText(`${absent.name.en} has no device yet`);
    await expect(told).toContainText("begin without them");
  });
});
