import type { Locale } from "../../chat/logic/names";
import { localeTag } from "../../chat/logic/times";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** "1.4 MB": decimal units, as the quota on the server counts. */
export function sizeText(bytes: number, locale: Locale): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const text = new Intl.NumberFormat(localeTag(locale), {
    style: "unit",
    unit: UNITS[unit] as string,
    unitDisplay: "short",
    maximumFractionDigits: digits,
  }).format(value);
  return together(text, locale);
}

/** Number and Latin unit stay in that order inside Urdu. */
function together(text: string, locale: Locale): string {
  return locale === "ur" ? `\u2066${text}\u2069` : text;
}

/** "1.4 MB/s"; empty while nothing was measured. */
export function speedText(bytesPerSecond: number | null, locale: Locale): string {
  if (bytesPerSecond === null || !Number.isFinite(bytesPerSecond) || bytesPerSecond < 1) return "";
  return together(`${sizeText(bytesPerSecond, "en")}/s`, locale);
}

/** Seconds still to go, rounded so that the display does not flicker; null when nobody can know. */
export function secondsLeft(size: number, done: number, bytesPerSecond: number | null): number | null {
  if (bytesPerSecond === null || !Number.isFinite(bytesPerSecond) || bytesPerSecond < 1) return null;
  const seconds = Math.max(0, size - done) / bytesPerSecond;
  if (seconds > 24 * 3600) return null;
  if (seconds < 10) return Math.max(1, Math.ceil(seconds));
  if (seconds < 60) return Math.ceil(seconds / 5) * 5;
  return Math.ceil(seconds / 60) * 60;
}

/** "1:05", "1:02:03" */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const pad = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** 0 to 100; a file of nothing is complete. */
export function percent(done: number, size: number): number {
  return size <= 0 ? 100 : Math.min(100, Math.max(0, Math.floor((done / size) * 100)));
}
