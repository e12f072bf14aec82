// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { cards } from "../../gallery/fixtures.ts";
import { press, type Staged, show, staged, until } from "../../testing/show.tsx";
import { imei } from "./imei.ts";

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
  for (const words of [
    "Secretariat, Block C",
    "Islamabad",
    "On the network since",
    "Active",
    "Suspended",
    card.iccid,
  ]) {
    expect(part()).toContain(words);
  }
  expect(part(), "a number that means nothing").not.toContain("000001001");
  expect([...page.querySelectorAll("[data-there]")].map((path) => path.getAttribute("data-there"))).toEqual([
    "true",
    "false",
  ]);
});

test("in Urdu too", async () => {
  const { part, says } = phonePage(staged({}, { my_phone: () => ({ cards: [card], network: true }) }), "ur");
  await says("فون نیٹ ورک پر ہے۔");
  expect(part()).toContain("سیکرٹریٹ، بلاک سی");
  expect(part()).toContain("اسلام آباد");
  expect(part()).not.toContain("Secretariat");
});

test("a place without a name keeps its number, and one with an English name alone has that in Urdu", async () => {
  const phone = { ...(card.phone as NonNullable<typeof card.phone>), place: null, area: { en: "Quetta", ur: "" } };
  const half = { ...card, phone };
  const { part, says } = phonePage(staged({}, { my_phone: () => ({ cards: [half], network: true }) }), "ur");
  await says("فون نیٹ ورک پر ہے۔");
  expect(part()).toContain("000001001");
  expect(part()).toContain("Quetta");
  close();
  const english = phonePage(
    staged({}, { my_phone: () => ({ cards: [{ ...half, phone: { ...phone, area: null } }], network: true }) }),
  );
  await english.says("Cell 000001001");
  expect(english.part()).toContain("Tracking area 1");
});

test("the device number is the phone's own word, written as the phone shows it", async () => {
  // IMEI with its check digit: 8, known from many examples.
  expect([imei("49015420323751"), imei("490154203237510"), imei("4901542032375101")]).toEqual(
    Array(3).fill("490154203237518"),
  );
  const { says } = phonePage(staged({}, { my_phone: () => ({ cards: [card], network: true }) }));
  await says("The phone gives its device number (IMEI) as 350000000000014.");
  close();
  const silent = { ...card, phone: { ...(card.phone as NonNullable<typeof card.phone>), equipment: null } };
  const other = phonePage(staged({}, { my_phone: () => ({ cards: [silent], network: true }) }));
  await other.says("The phone is on the network.");
  expect(other.part()).not.toContain("IMEI");
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
  expect(part()).toContain("Secretariat, Block C");
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
