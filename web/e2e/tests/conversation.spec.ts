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
    await asma.page.getByRole("searchbox").fill(person.username);
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
