import type { Locale } from "./names";

/** Western digits in both languages, as the style guide asks for times. */
const tags: Record<Locale, string> = { en: "en-GB", ur: "ur-PK-u-nu-latn" };

const cache = new Map<string, Intl.DateTimeFormat>();
function formatter(locale: Locale, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${name}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(tags[locale], options);
    cache.set(key, found);
  }
  return found;
}

export function localeTag(locale: Locale): string {
  return tags[locale];
}

/** "14:05" */
export function clock(at: number, locale: Locale): string {
  return formatter(locale, "clock", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

/** "22 Nov 2026, 14:05" */
export function fullTime(at: number, locale: Locale): string {
  return formatter(locale, "full", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** A key that two instants share exactly when they are on the same day here. */
export function dayKey(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** Whole days from `at` to `now` by the calendar here: 0 today, 1 yesterday; negative in the future. */
export function daysAgo(at: number, now: number): number {
  const start = (value: number) => {
    const date = new Date(value);
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  };
  return Math.round((start(now) - start(at)) / 86_400_000);
}

/** A date separator: "Today", "Yesterday", "Monday", "3 November", "3 November 2025". */
export function dayLabel(at: number, now: number, locale: Locale): string {
  const days = daysAgo(at, now);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(tags[locale], { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase(tags[locale]) + word.slice(1);
  }
  if (days > 1 && days < 7) return formatter(locale, "weekday", { weekday: "long" }).format(at);
  if (new Date(at).getFullYear() === new Date(now).getFullYear()) {
    return formatter(locale, "day", { day: "numeric", month: "long", weekday: "long" }).format(at);
  }
  return formatter(locale, "day-year", { day: "numeric", month: "long", year: "numeric" }).format(at);
}

/** The time beside a conversation: clock today, then "Yesterday", weekday, date. */
export function listTime(at: number, now: number, locale: Locale): string {
  const days = daysAgo(at, now);
  if (days <= 0) return clock(at, locale);
  if (days === 1) return dayLabel(at, now, locale);
  if (days < 7) return formatter(locale, "weekday-short", { weekday: "short" }).format(at);
  if (new Date(at).getFullYear() === new Date(now).getFullYear()) {
    return formatter(locale, "day-short", { day: "numeric", month: "short" }).format(at);
  }
  return formatter(locale, "numeric", { day: "numeric", month: "short", year: "numeric" }).format(at);
}
