// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { press, show, staged, until } from "../testing/show.tsx";

let close = () => {};
afterEach(() => close());

const fixed = { language: "en", assuranceSeen: true } as const;

test("whoever is suspended is not offered to delete what is stored, and may log in again", async () => {
  let lifted = false;
  const stage = staged(
    { phase: "suspended", connection: "offline" },
    {
      login: () => {
        if (!lifted) throw { code: "identity.suspended", message: "", retry_after_ms: null };
        return null;
      },
    },
  );
  const { page, ...shown } = show(stage.engine, "/", fixed);
  close = shown.close;
  await until(page, () => page.textContent?.includes("Your access is suspended"));
  const offers = () => /delete|cut off|revoked/i.test(page.textContent ?? "");
  expect(offers(), page.textContent ?? "").toBe(false);
  press(page, "Log in again");
  await until(page, () => page.querySelector('input[type="password"]'));
  const form = page.querySelector("form");
  const field = page.querySelector<HTMLInputElement>('input[type="password"]');
  if (!form || !field) throw new Error("no form");
  const submit = async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, "river lantern");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await until(page, () => !form.querySelector<HTMLButtonElement>('button[type="submit"]')?.disabled);
    form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  };
  await submit();
  await until(page, () => page.textContent?.includes("is suspended for now. Nothing here is lost."));
  expect(offers(), page.textContent ?? "").toBe(false);
  lifted = true;
  await submit();
  stage.set({ phase: "ready", connection: "online" });
  await until(page, () => page.querySelector("main#main"));
});

test("whoever is revoked is", async () => {
  const { page, ...shown } = show(staged({ phase: "cut_off" }).engine, "/", fixed);
  close = shown.close;
  await until(page, () => page.textContent?.includes("This device has been cut off"));
  expect(page.textContent).toContain("Delete what is stored here");
});
