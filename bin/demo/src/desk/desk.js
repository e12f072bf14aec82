"use strict";

const $ = (id) => document.getElementById(id);
const say = (text) => { $("status").textContent = text; };
let people = [];
/** What the core and the home network last said: `people` by username, and how it stands with user data. */
let board = {};
/** Rows on the page, by username: how each takes news from the board. */
const rows = new Map();

const cards = {
  bound: "SIM active",
  suspended: "SIM suspended",
  revoked: "SIM revoked",
  available: "SIM handed out, not enrolled yet",
};

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

function whereabouts(phone) {
  if (!phone) return "phone not on the network";
  const place = phone.place ?? `cell ${phone.cell}`;
  const area = phone.area ?? `tracking area ${phone.tac}`;
  const since = new Date(phone.since).toLocaleTimeString();
  const address = phone.address ? `, address ${phone.address}` : "";
  return `phone at ${place}, ${area}, since ${since}${address}`;
}

/** A line with the state of card and phone, and what an administrator and the phone's owner can do about it. */
function phone(person) {
  const line = element("div", "", { class: "phone" });
  const actions = element("div", "", { class: "actions" });
  const act = (text, what, done, when) => {
    const made = button(text, async () => {
      await wish(person, what);
      say(`${person.name.en}: ${done}.`);
    });
    actions.append(made);
    return (state) => { made.hidden = !when(state); };
  };
  const shown = [
    act("Suspend SIM", "sim-suspend", "the SIM is suspended; phone and login end", (s) => s.card === "bound"),
    act("Restore SIM", "sim-restore", "the SIM is restored", (s) => s.card === "suspended"),
    act("Revoke SIM", "sim-revoke", "the SIM is revoked by two administrators", (s) => s.card === "bound" || s.card === "suspended"),
    act("Switch phone off", "phone-off", "the phone says goodbye, which ends the login", (s) => s.phone),
    act("Switch phone on", "phone-on", "the phone looks for the network", (s) => s.card === "bound" && !s.phone),
  ];
  const update = () => {
    const state = board.people?.[person.username];
    line.hidden = actions.hidden = !state;
    if (!state) return;
    const text = `${cards[state.card] ?? state.card} · ${whereabouts(state.phone)}`;
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("on", Boolean(state.phone));
    for (const one of shown) one(state);
  };
  rows.set(person.username, update);
  update();
  return [line, actions];
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
  item.append(...phone(person), actions);
  return item;
}

function draw() {
  const wanted = $("q").value.trim().toLowerCase();
  const text = (p) => [p.name.en, p.name.ur, p.username, p.title.en, p.title.ur, ...p.units.flatMap((u) => [u.en, u.ur])].join(" ").toLowerCase();
  const shown = people.filter((p) => text(p).includes(wanted));
  shown.sort((a, b) => Number(b.suggested) - Number(a.suggested) || Number(b.played) - Number(a.played));
  rows.clear();
  $("people").replaceChildren(...shown.slice(0, 60).map(row));
  say(shown.length ? `${shown.length} officials` : "Nobody matches.");
}

// A server-sent event for every change, as long as the page is open.
new EventSource("/phones").addEventListener("message", (event) => {
  board = JSON.parse(event.data);
  $("data").textContent = board.data ?? "";
  for (const update of rows.values()) update();
});
$("q").addEventListener("input", draw);
$("close").addEventListener("click", () => $("card").close());
fetch("/people").then((answer) => answer.json()).then((answer) => { people = answer.people; draw(); })
  .catch(() => say("The desk is closed; start the demo again."));
