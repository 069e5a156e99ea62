/** Dates, times and durations as people write them. */
export type HourCycle = "h12" | "h23";

export interface Formats {
  readonly locale: string;
  readonly timeZone: string;
  readonly hourCycle: HourCycle;
  time(instant: Date): string;
  timeRange(start: Date, end: Date): string;
  day(instant: Date): string;
  shortDay(instant: Date): string;
  /** `today`, as a word. */
  today(): string;
  month(instant: Date): string;
  duration(seconds: number): string;
  countdown(ms: number): string;
  /** `GMT+1`, at that instant. */
  offsetName(instant: Date): string;
  /** `2030-01-31`: on which day of the zone it is. */
  dayKey(instant: Date): string;
  /** 0 to 23, in the zone. */
  hour(instant: Date): number;
}

export function localHourCycle(locale: string): HourCycle {
  const { hourCycle } = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions();
  return hourCycle === "h11" || hourCycle === "h12" ? "h12" : "h23";
}

export function visitorTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export function createFormats(locale: string, timeZone: string, hourCycle: HourCycle): Formats {
  const written = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options });
  const hour = hourCycle === "h23" ? "2-digit" : "numeric";
  const time = written({ hour, minute: "2-digit", hourCycle });
  const day = written({ weekday: "long", day: "numeric", month: "long" });
  const shortDay = written({ weekday: "short", day: "numeric", month: "short" });
  const month = written({ month: "long", year: "numeric" });
  const civil = civilTime(timeZone);
  return {
    locale,
    timeZone,
    hourCycle,
    time: (instant) => time.format(instant),
    timeRange: (start, end) => time.formatRange(start, end),
    day: (instant) => day.format(instant),
    shortDay: (instant) => shortDay.format(instant),
    today: () => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(0, "day"),
    month: (instant) => month.format(instant),
    duration: (seconds) => duration(locale, seconds),
    countdown: (ms) => countdown(locale, ms),
    offsetName: (instant) => offsetName(locale, timeZone, instant),
    dayKey: (instant) => civil(instant).slice(0, 10),
    hour: (instant) => Number(civil(instant).slice(11, 13)),
  };
}

/** `2030-01-31T09`, remembered: a month has thousands of slots, and each change asks again for all. */
function civilTime(timeZone: string): (instant: Date) => string {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
  });
  const known = new Map<number, string>();
  return (instant) => {
    const ms = instant.getTime();
    const before = known.get(ms);
    if (before !== undefined) return before;
    const part = Object.fromEntries(
      format.formatToParts(instant).map(({ type, value }) => [type, value]),
    );
    const civil = `${part["year"]?.padStart(4, "0")}-${part["month"]}-${part["day"]}T${part["hour"]}`;
    known.set(ms, civil);
    return civil;
  };
}

/** In Arabic's own writing a sign changes its side; Latin letters are known there too. */
function offsetName(locale: string, timeZone: string, instant: Date): string {
  const written = locale.startsWith("ar") ? "en" : locale;
  const format = new Intl.DateTimeFormat(written, { timeZone, timeZoneName: "shortOffset" });
  const name =
    format.formatToParts(instant).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return name.replace(/[+−-]0$/, "");
}

function duration(locale: string, seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const [hours, rest] =
    minutes < 90 && minutes !== 60 ? [0, minutes] : [Math.floor(minutes / 60), minutes % 60];
  const unit = (value: number, name: "hour" | "minute") =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: hours && rest ? "short" : "long",
    }).format(value);
  const parts = [hours ? unit(hours, "hour") : "", rest || !hours ? unit(rest, "minute") : ""];
  return new Intl.ListFormat(locale, { type: "unit", style: "narrow" }).format(
    parts.filter(Boolean),
  );
}

function countdown(locale: string, ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const plain = new Intl.NumberFormat(locale, { useGrouping: false });
  const padded = new Intl.NumberFormat(locale, { useGrouping: false, minimumIntegerDigits: 2 });
  return `${plain.format(Math.floor(seconds / 60))}:${padded.format(seconds % 60)}`;
}

/** How much later a clock of `there` shows than one of `here`, at that instant; in seconds. */
export function secondsLater(here: string, there: string, instant: Date): number {
  return (clockMs(there, instant) - clockMs(here, instant)) / 1000;
}

function clockMs(timeZone: string, instant: Date): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const part = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(
    part["year"] ?? 0,
    (part["month"] ?? 1) - 1,
    part["day"],
    part["hour"],
    part["minute"],
  );
}
