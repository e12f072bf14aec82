/**
 * Every screen, in both languages, at two widths: axe finds nothing, and a picture is kept beside the results for
 * somebody to look at.
 */

import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { judged, settled } from "../support/axe.ts";
import type { Words } from "../support/phone.ts";
import { expect, test } from "../support/test.ts";
import { urdu } from "../support/urdu.ts";

const pictures = resolve(import.meta.dirname, "../../../target/web-e2e/screens");
const languages: [string, string, Words | undefined][] = [
  ["en", "en-GB", undefined],
  ["ur", "ur-PK", urdu],
];

async function look(page: Page, language: string, screen: string) {
  for (const [width, height] of [
    [390, 844],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await expect(page.locator("html")).toHaveAttribute("data-theme", scheme);
      await settled(page);
      await page.screenshot({ path: `${pictures}/${screen}-${language}-${width}-${scheme}.png` });
      expect(await judged(page), `${screen} in ${language} at ${width}, ${scheme}`).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 390, height: 844 });
}

// The longest of all, and each language has an official of its own.
test.describe.configure({ mode: "parallel" });

for (const [language, locale, words] of languages) {
  test(`every screen, ${language}`, async ({ demo, phones }) => {
    test.setTimeout(600_000);
    const person = demo.somebody();
    const card = await demo.card(person);
    const phone = await phones.open(person, card.phone, { locale, ...(words ? { words } : {}) });
    const { page } = phone;
    const say = phone.words;
    await expect(page.getByRole("textbox", { name: say("Text of the card") })).toBeVisible();
    await look(page, language, "enrol");
    await page.getByRole("textbox", { name: say("Text of the card") }).fill(card.card);
    await page.getByRole("button", { name: say("Continue"), exact: true }).click();
    await expect(page.getByLabel(say("PIN again"), { exact: true })).toBeVisible();
    await look(page, language, "secrets");
    await page.reload();
    await phone.enrol(card);
    await phone.expectReady();
    await look(page, language, "conversations-empty");
    await phone.go(`/find`);
    await phone.lookFor("Secretary");
    await expect(page.getByText(/Secretary|سیکرٹری/).first()).toBeVisible();
    await look(page, language, "find");
    await phone.writeTo(demo.answering());
    await phone.send(language === "ur" ? "السلام علیکم! کیا سمری تیار ہے؟" : "Good morning. Is the summary ready?");
    await expect(page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
    await look(page, language, "conversation");
    await phone.go(`${new URL(page.url()).pathname}/info`);
    await expect(page.getByRole("heading", { name: say("Conversation details") })).toBeVisible();
    await look(page, language, "conversation-info");
    for (const path of [
      "/",
      "/new",
      "/devices",
      "/settings",
      "/settings/account",
      "/settings/appearance",
      "/settings/notifications",
      "/settings/phone",
      "/settings/secrets",
      "/settings/storage",
      "/settings/about",
    ]) {
      await phone.go(path);
      await settled(page);
      await look(page, language, path === "/" ? "conversations" : path.slice(1).replaceAll("/", "-"));
    }
    await phone.go(`/settings/account`);
    await page.getByRole("button", { name: say("Log out here"), exact: true }).click();
    await page.getByRole("button", { name: say("Log out"), exact: true }).click();
    await expect(page.getByLabel(say("Password"), { exact: true })).toBeVisible();
    await look(page, language, "login");
    await demo.revokeNewest(person);
  });
}
