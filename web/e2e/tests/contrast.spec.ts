/** Who needs more contrast, the system's own colours or no movement: main screens, judged by axe and kept as pictures. */

import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { judged } from "../support/axe.ts";
import { expect, test } from "../support/test.ts";

const pictures = resolve(import.meta.dirname, "../../../target/web-e2e/screens");

const WANTED = { contrast: "more", forcedColors: "none" } as const;
const FORCED = { contrast: "no-preference", forcedColors: "active" } as const;

async function look(page: Page, screen: string) {
  for (const [name, colorScheme] of [
    ["contrast", "light"],
    ["contrast", "dark"],
    ["forced", "dark"],
  ] as const) {
    const wishes = name === "contrast" ? WANTED : FORCED;
    await page.emulateMedia({ ...wishes, colorScheme, reducedMotion: "reduce" });
    await expect(page.locator("html")).toHaveAttribute("data-contrast", name === "contrast" ? "more" : "normal");
    await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
    await page.screenshot({ path: `${pictures}/${screen}-${name}-${colorScheme}.png` });
    // Seven to one is what this mode promises; forced colours are the system's choice, which axe cannot know. The words
    // that are seen on a thing must be in its name: a rule that axe leaves off by itself.
    const rules: Record<string, boolean> =
      name === "contrast" ? { "color-contrast-enhanced": true } : { "color-contrast": false };
    const problems = await judged(page, { ...rules, "label-content-name-mismatch": true });
    expect.soft(problems, `${screen}, ${name}, ${colorScheme}`).toEqual([]);
  }
  // Everything moves at once or not at all.
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .map((each) => [each.effect?.getComputedTiming(), (each as CSSAnimation).animationName ?? "transition"] as const)
      .filter(([timing]) => Number(timing?.duration) > 1 || timing?.iterations === Infinity)
      .map(([, name]) => name),
  );
  expect.soft(moving, `${screen} moves`).toEqual([]);
}

test("more contrast, forced colours and no movement on the main screens", async ({ demo, phones }) => {
  test.setTimeout(300_000);
  const person = demo.somebody();
  const card = await demo.card(person);
  const phone = await phones.open(person, card.phone);
  const { page } = phone;
  await expect(page.getByRole("textbox", { name: "Text of the card" })).toBeVisible();
  await look(page, "enrol");
  await phone.enrol(card);
  await phone.expectReady();
  await phone.writeTo(demo.answering());
  await phone.send("Good morning. Is the summary ready?");
  await expect(page.getByRole("article")).toHaveCount(2, { timeout: 30_000 });
  await look(page, "conversation");
  await phone.message("Is the summary ready?").click({ button: "right" });
  // The key is drawn beside the words, and is a description, not a part of the name.
  const reply = page.getByRole("menuitem", { name: "Reply", exact: true });
  await expect(reply).toHaveAccessibleDescription("R");
  await look(page, "conversation-menu");
  await page.keyboard.press("Escape");
  for (const [path, screen] of [
    ["/", "conversations"],
    ["/devices", "devices"],
    ["/settings/notifications", "settings-notifications"],
  ] as const) {
    await phone.go(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await look(page, screen);
  }
  await test.step("a switch that is on looks different from one that is off, also in the system's colours", async () => {
    await page.emulateMedia({ ...FORCED, reducedMotion: "reduce" });
    const row = page.locator("label").filter({ has: page.getByRole("switch", { name: /^Show that I am writing/ }) });
    await page.mouse.move(0, 0);
    const on = await row.screenshot();
    await row.click();
    await page.mouse.move(0, 0);
    await expect(row.getByRole("switch")).not.toBeChecked();
    expect((await row.screenshot()).equals(on)).toBe(false);
  });
  await phone.go("/find");
  await phone.lookFor("Secretary");
  await expect(page.getByText("Secretary").first()).toBeVisible();
  await look(page, "find");
  await page.reload();
  await expect(page.getByLabel("PIN", { exact: true })).toBeVisible();
  await look(page, "unlock");
});
