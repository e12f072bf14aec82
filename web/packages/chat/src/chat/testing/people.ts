import type { BilingualName, Official, OrgUnit, Post } from "@pakawaaz/api/protocol";

/** Invented officials for the gallery and the tests. */
const name = (en: string, ur: string): BilingualName => ({ en, ur });
export const uuid = (kind: number, index: number) =>
  `0190${kind.toString(16).padStart(4, "0")}-0000-7000-8000-${index.toString(16).padStart(12, "0")}`;

const RANKS = {
  secretary: name("Federal Secretary", "وفاقی سیکرٹری"),
  joint: name("Joint Secretary", "جوائنٹ سیکرٹری"),
  deputy: name("Deputy Secretary", "ڈپٹی سیکرٹری"),
  section: name("Section Officer", "سیکشن افسر"),
};

export const UNITS: OrgUnit[] = [
  { unit: uuid(1, 0), parent: null, kind: "ministry", name: name("Ministry of Planning", "وزارت منصوبہ بندی") },
  { unit: uuid(1, 1), parent: uuid(1, 0), kind: "division", name: name("Development Division", "ترقیاتی ڈویژن") },
  { unit: uuid(1, 2), parent: uuid(1, 1), kind: "wing", name: name("Water Wing", "آبی ونگ") },
  { unit: uuid(1, 3), parent: uuid(1, 2), kind: "section", name: name("Irrigation Section", "آبپاشی سیکشن") },
  { unit: uuid(1, 4), parent: uuid(1, 1), kind: "wing", name: name("Transport Wing", "ٹرانسپورٹ ونگ") },
  { unit: uuid(1, 5), parent: null, kind: "ministry", name: name("Ministry of Finance", "وزارت خزانہ") },
  { unit: uuid(1, 6), parent: uuid(1, 5), kind: "division", name: name("Budget Division", "بجٹ ڈویژن") },
];

type Entry = [
  en: string,
  ur: string,
  rank: keyof typeof RANKS,
  unit: number,
  postEn: string,
  postUr: string,
  grade: number,
];
const ENTRIES: Entry[] = [
  ["Ayesha Khan", "عائشہ خان", "joint", 2, "Joint Secretary (Water)", "جوائنٹ سیکرٹری (آب)", 20],
  ["Bilal Ahmed", "بلال احمد", "deputy", 2, "Deputy Secretary (Water)", "ڈپٹی سیکرٹری (آب)", 19],
  ["Kamran Malik", "کامران ملک", "section", 3, "Section Officer (Irrigation)", "سیکشن افسر (آبپاشی)", 17],
  ["Sana Raza", "ثنا رضا", "secretary", 0, "Secretary Planning", "سیکرٹری منصوبہ بندی", 22],
  ["Farhan Siddiqui", "فرحان صدیقی", "deputy", 6, "Deputy Secretary (Budget)", "ڈپٹی سیکرٹری (بجٹ)", 19],
  ["Maryam Qureshi", "مریم قریشی", "joint", 4, "Joint Secretary (Transport)", "جوائنٹ سیکرٹری (ٹرانسپورٹ)", 20],
  ["Usman Tariq", "عثمان طارق", "section", 6, "Section Officer (Budget I)", "سیکشن افسر (بجٹ اول)", 17],
];

export const ME = uuid(2, 0);
export const POSTS: Post[] = ENTRIES.map(([, , , unit, en, ur, grade], index) => ({
  post: uuid(3, index),
  unit: uuid(1, unit),
  title: name(en, ur),
  grade,
  holder: uuid(2, index),
  held_since: Date.UTC(2025, index, 3),
}));
POSTS.push({
  post: uuid(3, 90),
  unit: uuid(1, 3),
  title: name("Section Officer (Canals)", "سیکشن افسر (نہریں)"),
  grade: 17,
  holder: null,
  held_since: null,
});

function unitsUp(unit: number): BilingualName[] {
  const path: BilingualName[] = [];
  for (let at: OrgUnit | undefined = UNITS[unit]; at; at = UNITS.find((candidate) => candidate.unit === at?.parent))
    path.unshift(at.name);
  return path;
}

export const OFFICIALS: Official[] = ENTRIES.map(([en, ur, rank, unit, postEn, postUr, grade], index) => ({
  official: uuid(2, index),
  username: en.toLowerCase().replace(" ", "."),
  name: name(en, ur),
  rank: RANKS[rank],
  posts: [
    {
      post: uuid(3, index),
      title: name(postEn, postUr),
      units: unitsUp(unit),
      grade,
      kind: index === 1 ? "acting" : "substantive",
      until: null,
      standing: index === 2 ? "unverified" : "verified",
    },
  ],
}));

export function official(index: number): Official {
  return OFFICIALS[index] as Official;
}
