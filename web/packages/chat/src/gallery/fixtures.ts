import type {
  AlarmView,
  AppState,
  BilingualName,
  CardView,
  ConversationView,
  DeviceView,
  Id,
  LineView,
  MemberView,
  Official,
  SessionView,
  TransferView,
} from "@pakawaaz/api/protocol";

/** Officials, conversations and the rest that the gallery and the tests of screens share. */

/** A fixed moment, so that pictures of screens can be compared. 22 Nov 2026, 14:05 in Islamabad. */
export const NOW = Date.UTC(2026, 10, 22, 9, 5);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function id(n: number): Id {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

function name(en: string, ur: string): BilingualName {
  return { en, ur };
}

const INTERIOR = name("Ministry of Interior", "وزارتِ داخلہ");
const FINANCE = name("Ministry of Finance", "وزارتِ خزانہ");

export const officials: Official[] = [
  {
    official: id(1),
    username: "a.raza",
    name: name("Ahmed Raza", "احمد رضا"),
    rank: name("Deputy Secretary", "ڈپٹی سیکریٹری"),
    posts: [
      {
        post: id(101),
        title: name("Deputy Secretary (Security)", "ڈپٹی سیکریٹری (سیکیورٹی)"),
        units: [name("Security Wing", "سیکیورٹی ونگ"), INTERIOR],
        grade: 19,
        standing: "verified",
      },
    ],
  },
  {
    official: id(2),
    username: "f.khan",
    name: name("Fatima Khan", "فاطمہ خان"),
    rank: name("Joint Secretary", "جوائنٹ سیکریٹری"),
    posts: [
      {
        post: id(102),
        title: name("Joint Secretary (Budget)", "جوائنٹ سیکریٹری (بجٹ)"),
        units: [name("Budget Wing", "بجٹ ونگ"), FINANCE],
        grade: 20,
        standing: "verified",
      },
    ],
  },
  {
    official: id(3),
    username: "s.hussain",
    name: name("Sajid Hussain", "ساجد حسین"),
    rank: name("Section Officer", "سیکشن آفیسر"),
    posts: [
      {
        post: id(103),
        title: name("Section Officer (Coordination)", "سیکشن آفیسر (رابطہ)"),
        units: [name("Coordination Section", "رابطہ سیکشن"), name("Security Wing", "سیکیورٹی ونگ"), INTERIOR],
        grade: 17,
        standing: "verified",
      },
    ],
  },
  {
    official: id(4),
    username: "z.malik",
    name: name("Zainab Malik", "زینب ملک"),
    rank: name("Additional Secretary", "ایڈیشنل سیکریٹری"),
    posts: [
      {
        post: id(104),
        title: name("Additional Secretary", "ایڈیشنل سیکریٹری"),
        units: [INTERIOR],
        grade: 21,
        standing: "verified",
      },
    ],
  },
];

const [ahmed, fatima, sajid, zainab] = officials as [Official, Official, Official, Official];
const codes = [
  "45120 83766 19224 51098 77310 02846",
  "90234 41755 80112 63394 00527 71908",
  "77186 62009 45331 28876 15034 60712",
];

export function appState(some: Partial<AppState> = {}): AppState {
  return {
    phase: "ready",
    connection: "online",
    retry_in_ms: null,
    caught_up: true,
    server: { realm: "demo.gov.pk", demo: true },
    me: {
      official: ahmed.official,
      username: ahmed.username,
      name: ahmed.name,
      rank: ahmed.rank,
      posts: ahmed.posts,
      device: id(201),
      label: "Chromium on Linux",
      assurance: "software_web",
      realm: "demo.gov.pk",
      origin: "http://a.raza.localhost:8443",
      session_ends_at: NOW + 9 * HOUR,
      fingerprint: codes[0] ?? "",
    },
    queued: 0,
    storage_persistent: true,
    storage: { usage: 48_300_000, quota: 12_000_000_000 },
    leader: true,
    ...some,
  };
}

let keys = 0;
export function line(author: Official, text: string, at: number, some: Partial<LineView> = {}): LineView {
  keys += 1;
  return {
    key: `k${keys}`,
    seq: keys,
    message: id(1000 + keys),
    author: author.official,
    author_name: author.name,
    mine: author === ahmed,
    at,
    text,
    mentions: [],
    reply: null,
    reactions: [],
    file: null,
    edited: false,
    deleted: false,
    status: author === ahmed ? "read" : null,
    failure: null,
    system: null,
    ...some,
  };
}

const question = line(fatima, "Can you send the revised figures before the meeting at three?", NOW - 40 * MINUTE);
export const lines: LineView[] = [
  line(fatima, "", NOW - 2 * DAY, {
    system: { what: "new_device", official: fatima.official, device: id(211) },
    message: null,
  }),
  line(ahmed, "Assalam-o-alaikum. The draft of the budget note is ready for your comments.", NOW - DAY - 2 * HOUR),
  line(fatima, "وعلیکم السلام۔ میں نے مسودہ دیکھ لیا ہے، صفحہ تین پر دو تبدیلیاں درکار ہیں۔", NOW - DAY - HOUR, {
    reactions: [{ emoji: "👍", officials: [ahmed.official], mine: true }],
  }),
  line(ahmed, "Thank you. I shall correct both and send it back today.", NOW - DAY, { edited: true }),
  line(fatima, "", NOW - 20 * HOUR, { system: { what: "alarm", kind: "key_changed" }, message: null }),
  line(fatima, "", NOW - 3 * HOUR, {
    file: {
      name: "budget-note-rev2.pdf",
      media_type: "application/pdf",
      size: 2_483_112,
      width: null,
      height: null,
      duration_ms: null,
      thumbnail: null,
      thumbnail_type: null,
    },
  }),
  question,
  line(ahmed, "They go out within the hour.", NOW - 35 * MINUTE, {
    reply: {
      message: question.message ?? "",
      author_name: fatima.name,
      text: question.text,
      file: null,
      deleted: false,
    },
  }),
  line(fatima, "", NOW - 30 * MINUTE, { deleted: true }),
  line(ahmed, "یہ رہے نظرثانی شدہ اعداد و شمار۔", NOW - 12 * MINUTE, { status: "delivered" }),
  line(ahmed, "Fatima sahiba, the table on page 5 is new.", NOW - 10 * MINUTE, {
    status: "sent",
    mentions: [fatima.official],
  }),
  line(ahmed, "I am in the committee room until four.", NOW - 4 * MINUTE, { status: "queued", seq: null }),
  line(ahmed, "Reports attached.", NOW - 3 * MINUTE, { status: "failed", failure: "messaging.too_large", seq: null }),
];

export function conversation(n: number, some: Partial<ConversationView>): ConversationView {
  return {
    group: id(300 + n),
    title: null,
    names: [],
    direct: true,
    members: [ahmed.official, fatima.official],
    last: null,
    updated_at: NOW - n * HOUR,
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
    ...some,
  };
}

export const conversations: ConversationView[] = [
  conversation(0, {
    names: [fatima.name],
    pinned: true,
    last: lines.at(-1) ?? null,
    updated_at: NOW - 3 * MINUTE,
    queued: 1,
    failed: 1,
  }),
  conversation(1, {
    title: "Flood relief coordination",
    direct: false,
    members: officials.map((o) => o.official),
    last: line(sajid, "The convoy left Sukkur at noon.", NOW - 25 * MINUTE),
    unread: 7,
    mentions: 1,
    first_unread: 120,
  }),
  conversation(2, {
    names: [zainab.name],
    members: [ahmed.official, zainab.official],
    last: line(zainab, "کل صبح نو بجے ملاقات طے ہے۔", NOW - 5 * HOUR),
    unread: 2,
    first_unread: 4,
  }),
  conversation(3, {
    names: [sajid.name],
    members: [ahmed.official, sajid.official],
    last: line(ahmed, "Noted.", NOW - DAY),
    draft: "About the seating plan: ",
    muted: true,
  }),
  conversation(4, {
    title: "کابینہ اجلاس کی تیاری",
    direct: false,
    members: officials.map((o) => o.official),
    last: line(zainab, "ایجنڈا حتمی ہے۔", NOW - 3 * DAY),
    alarms: 1,
    updated_at: NOW - 3 * DAY,
  }),
  conversation(5, {
    title: "Interior and Finance, weekly",
    direct: false,
    last: line(fatima, "", NOW - 40 * DAY, { deleted: true }),
    updated_at: NOW - 40 * DAY,
    left: true,
  }),
];

export const members: MemberView[] = officials.map((o, n) => ({
  official: o.official,
  name: o.name,
  username: o.username,
  devices: n === 0 ? [id(201), id(202)] : [id(210 + n)],
  me: n === 0,
}));

function device(n: number, some: Partial<DeviceView>): DeviceView {
  return {
    device: id(200 + n),
    official: ahmed.official,
    status: "active",
    label: null,
    assurance: "software_web",
    enrolled_at: NOW - 60 * DAY,
    last_seen_at: NOW - n * HOUR,
    this_device: false,
    verified: true,
    fingerprint: codes[n % codes.length] ?? "",
    ...some,
  };
}

export const devices: DeviceView[] = [
  device(1, { label: "Chromium on Linux", this_device: true, last_seen_at: NOW }),
  device(2, { label: "Office phone", assurance: "software_native" }),
  device(3, {
    label: "Firefox on Windows",
    status: "pending",
    verified: false,
    last_seen_at: null,
    enrolled_at: NOW - 4 * MINUTE,
  }),
  device(4, { label: "Old laptop", status: "revoked", verified: false, last_seen_at: NOW - 30 * DAY }),
];

export const sessions: SessionView[] = [
  {
    session: id(501),
    device: id(201),
    started_at: NOW - 3 * HOUR,
    ends_at: NOW + 9 * HOUR,
    this_session: true,
    sim: "card",
  },
  {
    session: id(502),
    device: id(202),
    started_at: NOW - 8 * HOUR,
    ends_at: NOW + 4 * HOUR,
    this_session: false,
    sim: "phone",
  },
];

export const cards: CardView[] = [
  {
    sim: id(701),
    iccid: "8992010000000000018",
    status: "bound",
    phone: {
      cell: "000001001",
      place: name("Secretariat, Block C", "سیکرٹریٹ، بلاک سی"),
      tac: 1,
      area: name("Islamabad", "اسلام آباد"),
      since: NOW - 2 * HOUR,
      seen: NOW - 20 * MINUTE,
      equipment: "3500000000000102",
    },
  },
  { sim: id(702), iccid: "8992010000000000026", status: "suspended", phone: null },
];

export const alarms: AlarmView[] = [
  { kind: "key_changed", at: NOW - 20 * HOUR, group: id(300), official: fatima.official, device: id(211) },
];

export const transfers: TransferView[] = [
  {
    transfer: id(401),
    direction: "up",
    group: id(300),
    message: null,
    name: "site-survey.mp4",
    media_type: "video/mp4",
    size: 734_003_200,
    prepared: 450_000_000,
    done: 310_000_000,
    state: "running",
    failure: null,
    bytes_per_second: 5_200_000,
    kept_until: null,
  },
  {
    transfer: id(402),
    direction: "up",
    group: id(300),
    message: null,
    name: "annex.xlsx",
    media_type: "application/vnd.ms-excel",
    size: 812_000,
    prepared: 812_000,
    done: 0,
    state: "failed",
    failure: "files.quota",
    bytes_per_second: null,
    kept_until: null,
  },
  {
    transfer: id(403),
    direction: "down",
    group: id(300),
    message: id(1006),
    name: "budget-note-rev2.pdf",
    media_type: "application/pdf",
    size: 2_483_112,
    prepared: 0,
    done: 1_048_576,
    state: "paused",
    failure: null,
    bytes_per_second: null,
    kept_until: NOW + 6 * DAY,
  },
];
