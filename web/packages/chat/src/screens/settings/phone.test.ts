// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { cards } from "../../gallery/fixtures.ts";
import { press, type Staged, show, staged, until } from "../../testing/show.tsx";

let close = () => {};
afterEach(() => close());

const card = cards[0] as (typeof cards)[0];
const away = { ...card, phone: null };

function phonePage(stage: Staged, language: "en" | "ur" = "en") {
  const shown = show(stage.engine, "/settings/phone", { language, assuranceSeen: true });
  close = shown.close;
  const part = () => shown.page.querySelector<HTMLElement>("section[tabindex]")?.textContent ?? "";
  return { page: shown.page, part, says: (words: string) => until(shown.page, () => part().includes(words)) };
}

test("the own card is shown with the place of its phone", async () => {
  const { page, part, says } = phonePage(staged({}, { my_phone: () => ({ cards: [card, cards[1]], network: true }) }));
  await says("The phone is on the network.");
  for (const words of ["000001001", "Tracking area", "Registered since", "Active", "Suspended", card.iccid]) {
    expect(part()).toContain(words);
  }
  expect([...page.querySelectorAll("[data-there]")].map((path) => path.getAttribute("data-there"))).toEqual([
    "true",
    "false",
  ]);
});

test("in Urdu too", async () => {
  const { says } = phonePage(staged({}, { my_phone: () => ({ cards: [card], network: true }) }), "ur");
  await says("فون نیٹ ورک پر ہے۔");
});

test("no card, no network and a phone that is switched off each have their words", async () => {
  const none = phonePage(staged({}, { my_phone: () => ({ cards: [], network: true }) }));
  await none.says("No SIM card is yours");
  close();
  const off = phonePage(staged({}, { my_phone: () => ({ cards: [away], network: false }) }));
  await off.says("runs no cellular network");
  expect(off.part(), "nothing is said of a phone then").not.toContain("not on the network");
  close();
  const quiet = phonePage(staged({}, { my_phone: () => ({ cards: [away], network: true }) }));
  await quiet.says("The phone is not on the network.");
});

test("without a connection nothing is asked, and what was seen before is called old", async () => {
  let asked = 0;
  const stage = staged(
    { connection: "offline" },
    {
      my_phone: () => {
        asked += 1;
        return { cards: [card], network: true };
      },
    },
  );
  const { part, says } = phonePage(stage);
  await says("shown when there is a connection");
  expect(asked).toBe(0);
  stage.set({ connection: "online" });
  await says("The phone is on the network.");
  expect(part()).not.toContain("This is how it was at");
  stage.set({ connection: "offline" });
  await says("This is how it was at");
  expect(part()).toContain("000001001");
});

test("a refusal is told, and can be tried again", async () => {
  let refuse = true;
  const stage = staged(
    {},
    {
      my_phone: () => {
        if (refuse) throw { code: "identity.busy", message: "", retry_after_ms: null };
        return { cards: [card], network: true };
      },
    },
  );
  const { page, says } = phonePage(stage);
  await says("The server cannot do this at the moment.");
  refuse = false;
  press(page, "Try again");
  await says("The phone is on the network.");
});
