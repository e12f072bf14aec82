import type { ConversationView, LineView, TransferView } from "@pakawaaz/api/protocol";
import { ME, OFFICIALS, official, uuid } from "./people";

/** The gallery's "now": a Sunday afternoon. Tests must not depend on the day they run. */
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

let count = 0;
export function line(at: number, author: number, text: string, more: Partial<LineView> = {}): LineView {
  count += 1;
  const mine = author === 0;
  return {
    key: `k${count}`,
    seq: count,
    message: uuid(5, count),
    author: official(author).official,
    author_name: official(author).name,
    mine,
    at,
    text,
    mentions: [],
    reply: null,
    reactions: [],
    file: null,
    edited: false,
    deleted: false,
    status: mine ? "read" : null,
    failure: null,
    system: null,
    ...more,
  };
}

/** A small picture, drawn by hand: 2×2 pixels, PNG. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGNk+M/AwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==";

export function busyTimeline(now: number): LineView[] {
  const start = now - 2 * DAY;
  const canal = line(start + 3 * MINUTE, 1, "The gauge readings of Taunsa are in. Discharge is 12% below last year.");
  const lines = [
    line(start, 1, "", { system: { what: "created" }, message: null }),
    line(start + MINUTE, 1, "Assalam-o-alaikum. This group is for the canal lining review."),
    canal,
    line(start + 9 * MINUTE, 2, "وعلیکم السلام۔ آبپاشی سیکشن کی رپورٹ آج شام تک مکمل ہو جائے گی۔"),
    line(start + 10 * MINUTE, 2, "دو ضلعوں کے اعداد و شمار ابھی باقی ہیں: رحیم یار خان اور راجن پور۔", {
      edited: true,
    }),
    line(
      start + 14 * MINUTE,
      0,
      "Thank you. @Kamran Malik send them to me when they come, I will add them to the note for the Secretary.",
      {
        mentions: [official(2).official],
        reactions: [{ emoji: "👍", officials: [official(2).official, official(1).official], mine: false }],
      },
    ),
    line(start + 20 * MINUTE, 1, "", {
      system: { what: "titled", official: official(1).official, title: "Canal lining review" },
      message: null,
    }),
    line(start + DAY, 2, "Here is the draft.", {
      file: {
        name: "Canal lining – draft note 3.pdf",
        media_type: "application/pdf",
        size: 1_482_330,
        width: null,
        height: null,
        duration_ms: null,
        thumbnail: null,
        thumbnail_type: null,
      },
    }),
    line(
      start + DAY + 2 * MINUTE,
      0,
      "Numbers on page 4 do not add up; please compare with the gauge readings: https://example.gov.pk/gauges/taunsa?day=3",
      {
        reply: {
          message: canal.message as string,
          author_name: official(1).name,
          text: canal.text,
          file: null,
          deleted: false,
        },
        status: "delivered",
      },
    ),
    line(start + DAY + 3 * MINUTE, 1, "", { deleted: true }),
    line(start + DAY + 5 * MINUTE, 2, "", {
      file: {
        name: "headworks.jpg",
        media_type: "image/jpeg",
        size: 3_204_112,
        width: 1600,
        height: 1200,
        duration_ms: null,
        thumbnail: PICTURE,
        thumbnail_type: "image/png",
      },
      reactions: [
        { emoji: "❤️", officials: [ME], mine: true },
        { emoji: "🙏", officials: [official(1).official], mine: false },
      ],
    }),
    line(start + DAY + 7 * MINUTE, 1, "", {
      system: { what: "healed", official: official(1).official, device: uuid(4, 1) },
      message: null,
    }),
    line(start + DAY + 8 * MINUTE, 2, "", { system: { what: "alarm", kind: "key_changed" }, message: null }),
    line(now - 60 * MINUTE, 1, "👍"),
    line(
      now - 40 * MINUTE,
      1,
      "@Ayesha Khan can you join at 15:30? The Secretary wants ten minutes on the lining budget before the meeting.",
      { mentions: [ME] },
    ),
    line(now - 39 * MINUTE, 2, LONG),
    line(now - 12 * MINUTE, 0, "Yes. I bring the note.", { status: "delivered" }),
    line(now - 5 * MINUTE, 0, "اور بجٹ کی نقل بھی۔", { status: "sent" }),
    line(now - 2 * MINUTE, 0, "One more: who prints it?", { status: "failed", failure: "messaging.too_large" }),
    line(now - MINUTE, 0, "On my way", { status: "queued", seq: null }),
  ];
  return lines;
}

const LONG = Array.from(
  { length: 26 },
  (_, index) =>
    `${index + 1}. Reach RD ${index * 12}+000 to ${(index + 1) * 12}+000: lining complete, side slopes checked.`,
).join("\n");

const WORDS = [
  "canal",
  "budget",
  "note",
  "Secretary",
  "meeting",
  "file",
  "draft",
  "gauge",
  "section",
  "approved",
  "pending",
  "figures",
  "today",
  "please",
  "review",
];
const URDU = ["نہر", "بجٹ", "مسودہ", "سیکرٹری", "اجلاس", "فائل", "رپورٹ", "آج", "منظور", "زیر غور", "جائزہ"];

/** Line number `index` of an endless conversation: the same every time. */
export function endlessLine(index: number, total: number, now: number): LineView {
  const seed = (index * 2_654_435_761) >>> 0;
  const author = seed % 3;
  const words = seed % 4 === 0 ? URDU : WORDS;
  const length = 3 + ((seed >>> 8) % 24);
  const text = Array.from({ length }, (_, word) => words[(seed >>> (word % 16)) % words.length]).join(" ");
  return {
    ...line(now - (total - index) * 7 * MINUTE, author, `${index}: ${text}`),
    key: `e${index}`,
    seq: index,
    message: uuid(6, index),
  };
}

export function conversation(index: number, more: Partial<ConversationView>): ConversationView {
  return {
    group: uuid(7, index),
    title: null,
    names: [],
    direct: false,
    members: [ME],
    last: null,
    updated_at: 0,
    unread: 0,
    mentions: 0,
    first_unread: null,
    draft: "",
    pinned: false,
    muted: false,
    archived: false,
    queued: 0,
    failed: 0,
    alarms: 0,
    held_back: false,
    left: false,
    ...more,
  };
}

export function conversations(now: number, busy: LineView[]): ConversationView[] {
  const people = (...indexes: number[]) => ({
    names: indexes.map((index) => official(index).name),
    members: [ME, ...indexes.map((index) => official(index).official)],
  });
  return [
    conversation(1, {
      title: "Canal lining review",
      ...people(1, 2),
      last: busy[busy.length - 1] as LineView,
      updated_at: now - MINUTE,
      pinned: true,
      queued: 1,
      failed: 1,
      unread: 3,
      mentions: 1,
    }),
    conversation(2, {
      ...people(1),
      direct: true,
      last: line(now - 30 * MINUTE, 1, "میں فائل پر دستخط کر چکا ہوں۔"),
      updated_at: now - 30 * MINUTE,
      unread: 2,
    }),
    conversation(3, {
      title: "Everything since 2019",
      ...people(1, 2, 3, 4, 5),
      last: endlessLine(99_999, 100_000, now),
      updated_at: now - 7 * MINUTE,
    }),
    conversation(4, {
      ...people(3),
      direct: true,
      last: line(now - 26 * 60 * MINUTE, 0, "The summary is on your table.", { status: "delivered" }),
      updated_at: now - 26 * 60 * MINUTE,
      draft: "One correction to page 2",
    }),
    conversation(5, {
      title: "Budget 2027",
      ...people(4, 6),
      last: line(now - 3 * DAY, 4, "", {
        file: {
          name: "demands-for-grants.xlsx",
          media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
          size: 402_112,
          width: null,
          height: null,
          duration_ms: null,
          thumbnail: null,
          thumbnail_type: null,
        },
      }),
      updated_at: now - 3 * DAY,
      muted: true,
      unread: 14,
    }),
    conversation(6, {
      ...people(5),
      direct: true,
      last: line(now - 9 * DAY, 5, "Held until the revocation is done."),
      updated_at: now - 9 * DAY,
      held_back: true,
      alarms: 1,
    }),
    conversation(7, {
      title: "Flood cell (closed)",
      ...people(2, 3),
      last: line(now - 40 * DAY, 2, "Thank you all."),
      updated_at: now - 40 * DAY,
      left: true,
    }),
    conversation(8, {
      title: "Old circulars",
      ...people(2),
      last: line(now - 300 * DAY, 2, "Circular 14 attached"),
      updated_at: now - 300 * DAY,
      archived: true,
    }),
  ];
}

export function transfers(): TransferView[] {
  const base = {
    direction: "up" as const,
    group: uuid(7, 1),
    message: null,
    media_type: "application/pdf",
    failure: null,
    bytes_per_second: null,
  };
  return [
    {
      ...base,
      transfer: uuid(8, 1),
      name: "Annex B – drawings.pdf",
      size: 84_000_000,
      prepared: 60_000_000,
      done: 31_000_000,
      state: "running",
      bytes_per_second: 4_200_000,
    },
    {
      ...base,
      transfer: uuid(8, 2),
      name: "site-visit.mp4",
      media_type: "video/mp4",
      size: 640_000_000,
      prepared: 200_000_000,
      done: 120_000_000,
      state: "paused",
    },
    {
      ...base,
      transfer: uuid(8, 3),
      name: "survey.zip",
      size: 9_000_000,
      prepared: 0,
      done: 2_000_000,
      state: "needs_file",
    },
    {
      ...base,
      transfer: uuid(8, 4),
      name: "too-large.iso",
      size: 4_000_000_000,
      prepared: 0,
      done: 0,
      state: "failed",
      failure: "files.too_large",
    },
  ];
}

export const EVERYBODY = OFFICIALS;
