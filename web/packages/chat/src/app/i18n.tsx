import { type I18n, setupI18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { useLingui } from "@lingui/react/macro";
import type { BilingualName, Millis } from "@pakawaaz/api/protocol";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { I18nProvider as AriaI18nProvider } from "react-aria-components";
import { usePreferences } from "./preferences.tsx";

export type Language = "en" | "ur";

/** Western digits in both: codes, times and amounts are read the same in every office. */
export const LOCALES: Record<Language, string> = { en: "en-PK", ur: "ur-PK-u-nu-latn" };

const catalogs = {
  en: () => import("../locales/en.po"),
  ur: () => import("../locales/ur.po"),
};

async function load(language: Language): Promise<I18n> {
  const { messages } = await catalogs[language]();
  return setupI18n({ locale: language, messages: { [language]: messages } });
}

/** Loads the catalogue of the chosen language; keeps the old one until the new one is there. */
export function Translations({ children }: { children: ReactNode }) {
  const { language } = usePreferences().preferences;
  const [i18n, setI18n] = useState<I18n | null>(null);
  useEffect(() => {
    let current = true;
    void load(language).then((loaded) => current && setI18n(loaded));
    return () => {
      current = false;
    };
  }, [language]);
  if (!i18n) return null;
  return (
    <I18nProvider i18n={i18n}>
      <AriaI18nProvider locale={LOCALES[i18n.locale as Language]}>{children}</AriaI18nProvider>
    </I18nProvider>
  );
}

export interface Format {
  language: Language;
  locale: string;
  /** The name in the language of the interface. */
  name(name: BilingualName): string;
  number(value: number): string;
  bytes(value: number): string;
  /** `14:05` */
  time(at: Millis): string;
  /** `22 Nov 2026` */
  date(at: Millis): string;
  /** `22 Nov 2026, 14:05` */
  dateTime(at: Millis): string;
  /** The time today, the weekday within six days, else the date: for lists. */
  short(at: Millis, now?: Millis): string;
  /** `5 minutes ago`, `in 2 hours` */
  relative(at: Millis, now?: Millis): string;
  /** `1 min 5 s` */
  duration(ms: number): string;
  list(items: string[]): string;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function formatFor(language: Language): Format {
  const locale = LOCALES[language];
  const cached = <T,>(make: () => T) => {
    let value: T | undefined;
    return () => {
      value ??= make();
      return value;
    };
  };
  const number = cached(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }));
  const time = cached(() => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  const date = cached(() => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" }));
  const weekday = cached(() => new Intl.DateTimeFormat(locale, { weekday: "short" }));
  const dayMonth = cached(() => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" }));
  const relative = cached(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
  const list = cached(() => new Intl.ListFormat(locale, { type: "conjunction" }));
  const separator = language === "ur" ? "، " : ", ";
  const unit = (value: number, name: string, digits = 0, unitDisplay: "short" | "long" = "short") =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay,
      maximumFractionDigits: digits,
    }).format(value);
  return {
    language,
    locale,
    name: (name) => name[language] || name.en || name.ur,
    number: (value) => number().format(value),
    bytes(value) {
      const step = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), UNITS.length - 1);
      // Marked as left to right: `MB` would otherwise jump before its number inside Urdu.
      return `\u2066${unit(value / 1000 ** step, UNITS[step] ?? "byte", step > 1 ? 1 : 0)}\u2069`;
    },
    time: (at) => time().format(at),
    date: (at) => date().format(at),
    dateTime: (at) => `${date().format(at)}${separator}${time().format(at)}`,
    short(at, now = Date.now()) {
      const days = daysBetween(at, now);
      if (days === 0) return time().format(at);
      if (days > 0 && days < 7) return weekday().format(at);
      return new Date(at).getFullYear() === new Date(now).getFullYear() ? dayMonth().format(at) : date().format(at);
    },
    relative(at, now = Date.now()) {
      const seconds = Math.round((at - now) / 1000);
      const size = Math.abs(seconds);
      if (size < 60) return relative().format(0, "minute");
      if (size < 3600) return relative().format(Math.trunc(seconds / 60), "minute");
      if (size < 86_400) return relative().format(Math.trunc(seconds / 3600), "hour");
      return relative().format(Math.trunc(seconds / 86_400), "day");
    },
    duration(ms) {
      const seconds = Math.max(1, Math.ceil(ms / 1000));
      if (seconds < 60) return unit(seconds, "second", 0, "long");
      if (seconds < 3600) {
        const rest = seconds % 60;
        return rest
          ? `${unit(Math.trunc(seconds / 60), "minute", 0, "long")} ${unit(rest, "second", 0, "long")}`
          : unit(seconds / 60, "minute", 0, "long");
      }
      return unit(seconds / 3600, "hour", 1, "long");
    },
    list: (items) => list().format(items),
  };
}

function daysBetween(at: Millis, now: Millis): number {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
}

/** Names, numbers and dates in the language of the interface. */
export function useFormat(): Format {
  const { i18n } = useLingui();
  const language = i18n.locale as Language;
  return useMemo(() => formatFor(language), [language]);
}
