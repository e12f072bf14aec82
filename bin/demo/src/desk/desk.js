"use strict";

const $ = (id) => document.getElementById(id);
const say = (text) => { $("status").textContent = text; };
let people = [];

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function button(text, act, primary) {
  const made = element("button", text, primary ? { class: "primary" } : {});
  made.addEventListener("click", async () => {
    made.disabled = true;
    try { await act(); } catch (error) { say(String(error.message ?? error)); }
    made.disabled = false;
  });
  return made;
}

async function wish(person, what) {
  const answer = await fetch(`/people/${encodeURIComponent(person.username)}/${what}`, { method: "POST" });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error ?? "The desk cannot do that now.");
  return body;
}

async function card(person) {
  say(`Two administrators are signing a card for ${person.name.en}…`);
  show(person, await wish(person, "card"));
}

function show(person, made) {
  const text = made.card ?? made.voucher;
  $("card-title").textContent = made.device > 1 ? `${person.name.en}: phone number ${made.device}` : person.name.en;
  $("card-text").textContent = made.card
    ? "Good for one phone. Paste it into the phone that opens."
    : "A voucher for a new password. Paste it where the phone asks for it.";
  $("text").value = text;
  $("qr").src = `data:image/svg+xml;utf8,${encodeURIComponent(made.qr)}`;
  $("open").hidden = !made.phone;
  if (made.phone) $("open").href = `${made.phone}/enrol`;
  $("copy").onclick = () => copy(text);
  $("open").onclick = () => copy(text);
  $("card").showModal();
  say("");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    $("text").select();
    say("Select the text and copy it.");
  }
}

function row(person) {
  const item = element("li", "", person.suggested ? { class: "suggested" } : {});
  const name = element("div", "", { class: "name" });
  name.append(element("span", `${person.rank.en} ${person.name.en}`.trim()));
  name.append(element("span", person.name.ur, { class: "ur", lang: "ur", dir: "rtl" }));
  item.append(name, element("div", [person.title.en, ...person.units.map((u) => u.en)].join(" · "), { class: "post" }));
  const actions = element("div", "", { class: "actions" });
  if (person.played) {
    actions.append(element("span", `answers · write to ${person.username}`));
  } else {
    actions.append(button(person.suggested ? "Open phone (start here)" : "Open phone", () => card(person), true));
    actions.append(button("New password", async () => show(person, await wish(person, "password"))));
    actions.append(button("Revoke newest phone", async () => {
      await wish(person, "revoke");
      say(`The newest phone of ${person.name.en} is revoked.`);
    }));
    actions.append(button("Send 150 letters", async () => {
      say(`An administrator is writing to ${person.name.en}…`);
      await wish(person, "letters");
      say(`${person.name.en} has a long conversation now, to scroll and search in.`);
    }));
    actions.append(button("Suspend", async () => { await wish(person, "suspend"); say(`${person.name.en} is suspended.`); }));
    actions.append(button("Restore", async () => { await wish(person, "restore"); say(`${person.name.en} is restored.`); }));
  }
  item.append(actions);
  return item;
}

function draw() {
  const wanted = $("q").value.trim().toLowerCase();
  const text = (p) => [p.name.en, p.name.ur, p.username, p.title.en, p.title.ur, ...p.units.flatMap((u) => [u.en, u.ur])].join(" ").toLowerCase();
  const shown = people.filter((p) => text(p).includes(wanted));
  shown.sort((a, b) => Number(b.suggested) - Number(a.suggested) || Number(b.played) - Number(a.played));
  $("people").replaceChildren(...shown.slice(0, 60).map(row));
  say(shown.length ? `${shown.length} officials` : "Nobody matches.");
}

$("q").addEventListener("input", draw);
$("close").addEventListener("click", () => $("card").close());
fetch("/people").then((answer) => answer.json()).then((answer) => { people = answer.people; draw(); })
  .catch(() => say("The desk is closed; start the demo again."));
