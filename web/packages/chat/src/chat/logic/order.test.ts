import { expect, test } from "vitest";
import { conversation } from "../../gallery/fixtures";
import { badgeCount, neighbour, ordered } from "./order";

const all = [
  conversation(1, { group: "1", updated_at: 1, unread: 2 }),
  conversation(2, { group: "2", updated_at: 3, archived: true, unread: 5, mentions: 1 }),
  conversation(3, { group: "3", updated_at: 2, muted: true, unread: 7 }),
  conversation(4, { group: "4", updated_at: 0, pinned: true }),
];
const groups = (list: { group: string }[]) => list.map((entry) => Number(entry.group.at(-1)));

test("pinned, then newest; archived apart", () => {
  expect(groups(ordered(all).current)).toEqual([4, 3, 1]);
  expect(groups(ordered(all).archived)).toEqual([2]);
});
test("the keyboard goes through what is shown and stops at the ends", () => {
  expect(neighbour(all, all[2]?.group, 1)?.group).toBe(all[0]?.group);
  expect(neighbour(all, all[3]?.group, -1)).toBeNull();
  expect(neighbour(all, undefined, 1)?.group).toBe(all[3]?.group);
});
test("muted and archived conversations count only what mentions me", () => {
  expect(badgeCount(all)).toBe(3);
});
