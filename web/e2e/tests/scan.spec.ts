import { Camera } from "../support/camera.ts";
import { PASSWORD, Phone, PIN } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";

test("cards and codes are read through the camera: enrolment, and the approval of a second phone", async ({ demo }) => {
  const person = demo.somebody();
  const camera = await Camera.start();
  try {
    const desk = await camera.browser.newPage();
    await desk.goto(demo.desk);
    const row = desk.getByRole("listitem").filter({ hasText: person.name.en });
    await row.getByRole("button", { name: "Open phone" }).click();
    const code = desk.getByRole("img", { name: "Voucher as QR code" });
    await expect(code).toBeVisible();
    const card = await desk.getByRole("textbox", { name: "Enrolment card" }).inputValue();
    const sim = card.slice(card.indexOf("{"));
    await camera.show(code);

    const phone = await Phone.open(camera.browser, person, person.phone, { permissions: ["camera"] });
    const { page } = phone;
    await page.getByRole("button", { name: "Scan code" }).click();
    // The code carries the voucher; a SIM never lies in a picture.
    await expect(page.getByRole("textbox", { name: "Text of the card" })).toHaveValue(
      card.slice(0, card.indexOf("\n")),
    );
    await page.getByRole("textbox", { name: "SIM file" }).fill(sim);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Password again").fill(PASSWORD);
    await page.getByLabel("PIN for this device").fill(PIN);
    await page.getByLabel("PIN again").fill(PIN);
    await page.getByRole("button", { name: "Enrol this device" }).click();
    await phone.expectReady();

    const second = await demo.card(person);
    const other = await Phone.open(camera.browser, person, second.phone);
    await other.enrol(second);
    await other.login();
    const shown = other.page.getByRole("img", { name: "The code as a QR code" });
    await expect(shown).toBeVisible();
    await camera.show(shown);
    await phone.go("/devices");
    await page.getByRole("button", { name: "Compare and approve" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Scan code" }).click();
    // Read, compared and approved without anybody typing a digit.
    await other.expectReady();
    for (const each of [phone, other]) each.expectQuiet();
  } finally {
    await camera.stop();
  }
});
