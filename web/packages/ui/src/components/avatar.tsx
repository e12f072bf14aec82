import { UsersRound } from "lucide-react";
import { cx } from "../classes.ts";

const COLOURS = [
  "bg-avatar-0",
  "bg-avatar-1",
  "bg-avatar-2",
  "bg-avatar-3",
  "bg-avatar-4",
  "bg-avatar-5",
  "bg-avatar-6",
  "bg-avatar-7",
];
const SIZES = { small: "size-8 text-xs", normal: "size-11 text-sm", large: "size-20 text-2xl" };
const ICONS = { small: 16, normal: 22, large: 36 };

/** Initials on a colour that belongs to the id. Decoration: the name stands beside it. */
export function Avatar({
  id,
  name,
  group,
  size = "normal",
}: {
  id: string;
  name: string;
  group?: boolean;
  size?: keyof typeof SIZES;
}) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return (
    <span
      aria-hidden
      className={cx(
        "grid shrink-0 select-none place-content-center overflow-hidden rounded-full font-semibold leading-none text-white",
        SIZES[size],
        COLOURS[sum % COLOURS.length],
      )}
    >
      {group ? <UsersRound size={ICONS[size]} /> : <span className="leading-none">{initials(name)}</span>}
    </span>
  );
}

/** At most two letters. Urdu letters change shape when they join, so only the first one is taken. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = [...(words[0] ?? "")][0] ?? "";
  if (/\p{Script=Arabic}/u.test(first)) return first;
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}
