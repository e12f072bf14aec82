// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { focusWhenDrawn } from "./row-focus";

let list: HTMLElement;
beforeEach(() => {
  document.body.innerHTML = '<button id="elsewhere">b</button><div id="list"></div>';
  list = document.getElementById("list") as HTMLElement;
  document.getElementById("elsewhere")?.focus();
});

const find = () => list.querySelector<HTMLElement>('[data-row="far"]');
/** A row as the list draws it: inside an element that hides it until it is measured. */
function draw(hidden: boolean): { row: HTMLElement; measured(): void } {
  const item = document.createElement("div");
  const row = document.createElement("article");
  row.dataset.row = "far";
  row.tabIndex = -1;
  // A browser gives no focus to what is hidden.
  const focus = row.focus.bind(row);
  row.focus = () => item.style.visibility !== "hidden" && focus();
  if (hidden) item.style.visibility = "hidden";
  item.append(row);
  list.append(item);
  return { row, measured: () => item.style.removeProperty("visibility") };
}
const observed = () => new Promise((done) => setTimeout(done, 20));

test("a row that is there is focused at once", () => {
  const { row } = draw(false);
  focusWhenDrawn(list, find);
  expect(document.activeElement).toBe(row);
});

test("a row that is drawn later, and hidden until it is measured, is focused then, however late", async () => {
  focusWhenDrawn(list, find);
  await observed();
  const { row, measured } = draw(true);
  await observed();
  expect(document.activeElement).not.toBe(row);
  measured();
  await observed();
  expect(document.activeElement).toBe(row);
  document.getElementById("elsewhere")?.focus();
  list.append(document.createElement("div"));
  await observed();
  expect(document.activeElement?.id, "once").toBe("elsewhere");
});

test("whoever presses something meanwhile keeps the focus", async () => {
  for (const event of [
    new Event("pointerdown", { bubbles: true }),
    new KeyboardEvent("keydown", { key: "Tab", bubbles: true }),
  ]) {
    list.replaceChildren();
    document.getElementById("elsewhere")?.focus();
    focusWhenDrawn(list, find);
    document.body.dispatchEvent(event);
    draw(false);
    await observed();
    expect(document.activeElement?.id).toBe("elsewhere");
  }
});

test("what was ended is over", async () => {
  focusWhenDrawn(list, find)();
  draw(false);
  await observed();
  expect(document.activeElement?.id).toBe("elsewhere");
});
