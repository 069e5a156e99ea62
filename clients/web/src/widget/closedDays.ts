/** The days on which nothing can come free, because those who are needed are closed. Pure. */
import {
  type CalendarDate,
  fromAbsolute,
  parseTime,
  toCalendarDate,
  toCalendarDateTime,
} from "@internationalized/date";
import type { Calendar, Catalog, Hours } from "../api/model.js";
import type { Closure, Schedule, WallInterval } from "../gen/slotcast/v1/catalog_service_pb.js";
import type { Selection } from "./selection.js";

/** In milliseconds; `end` is not in it. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether no appointment can start on a day, which is one of the visitor's clock, while hours are by the clock
 * of each calendar. What is not known is open.
 */
export function isClosedDay(
  day: CalendarDate,
  timeZone: string,
  { type, calendar, durationSeconds }: Selection,
  catalog: Catalog,
  hours: Hours,
): boolean {
  const start = day.toDate(timeZone).getTime();
  const end = day.add({ days: 1 }).toDate(timeZone).getTime();
  const lengthMs = 1_000 * durationSeconds;
  // Who starts at the end of a day is there in the next.
  const looked = { start, end: end + lengthMs };
  const openOf = (name: string): readonly Span[] => {
    const found = catalog.calendars.get(name);
    return found ? openSpans(found, looked, hours) : [looked];
  };
  const hasRoom = (open: readonly Span[]) =>
    open.some((span) => span.start < end && span.end - span.start >= lengthMs);
  const together = type.allOf.map(openOf).reduce(common, [looked]);
  if (!hasRoom(together)) return true;
  const people = calendar ? [calendar] : type.anyOf;
  return people.length > 0 && !people.some((name) => hasRoom(common(together, openOf(name))));
}

/** When a calendar is open, within a span. */
function openSpans(calendar: Calendar, looked: Span, hours: Hours): readonly Span[] {
  const schedule = hours.schedules.find(({ name }) => name === calendar.schedule);
  if (!schedule) return [looked];
  const dates = datesOf(looked, calendar.timeZone);
  const open = dates.flatMap((date) =>
    intervalsOf(schedule, date).map((wall) => spanOf(date, wall, calendar.timeZone)),
  );
  const closed = hours.closures
    .filter(({ calendars }) => calendars.length === 0 || calendars.includes(calendar.name))
    .flatMap((closure) => closedSpans(closure, dates, calendar.timeZone));
  return closed.reduce(without, common(merged(open), [looked]));
}

/** From the day before on, whose night may reach into it. */
function datesOf({ start, end }: Span, timeZone: string): readonly CalendarDate[] {
  const last = toCalendarDate(fromAbsolute(end, timeZone));
  const dates = [toCalendarDate(fromAbsolute(start, timeZone)).subtract({ days: 1 })];
  for (let date = dates[0]; date && date.compare(last) < 0; dates.push(date))
    date = date.add({ days: 1 });
  return dates;
}

function intervalsOf({ weekly, exceptions }: Schedule, date: CalendarDate): WallInterval[] {
  const ofDate = exceptions.find((each) => each.date === `${date}`);
  // Sunday is 0 to JavaScript, and 7 in a schedule.
  const weekday = date.toDate("UTC").getUTCDay() || 7;
  return (ofDate ?? weekly.find((each) => each.weekday === weekday))?.intervals ?? [];
}

/** Where a change of clocks leaves two readings of a time, the one by which it is open for longer. */
function spanOf(date: CalendarDate, { start, end }: WallInterval, timeZone: string): Span {
  const isOverMidnight = end <= start || end === "24:00";
  const endDate = isOverMidnight ? date.add({ days: 1 }) : date;
  const endTime = end === "24:00" ? "00:00" : end;
  const at = (day: CalendarDate, time: string, reading: "earlier" | "later") =>
    toCalendarDateTime(day, parseTime(time)).toDate(timeZone, reading).getTime();
  return { start: at(date, start, "earlier"), end: at(endDate, endTime, "later") };
}

function closedSpans(
  { span }: Closure,
  dates: readonly CalendarDate[],
  timeZone: string,
): readonly Span[] {
  if (span.case === "times") {
    const { startTime, endTime } = span.value;
    const ms = (time: typeof startTime) => 1_000 * Number(time?.seconds ?? 0);
    return [{ start: ms(startTime), end: ms(endTime) }];
  }
  if (span.case !== "dates") return [];
  const { firstDate, lastDate } = span.value;
  // As text, days are in order too.
  return dates
    .filter((date) => firstDate <= `${date}` && `${date}` <= lastDate)
    .map((date) => ({
      start: date.toDate(timeZone).getTime(),
      end: date.add({ days: 1 }).toDate(timeZone).getTime(),
    }));
}

/** In order, those that touch or overlap as one. */
function merged(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.start - other.start)) {
    const last = result.at(-1);
    if (last && span.start <= last.end)
      result.splice(-1, 1, { start: last.start, end: Math.max(last.end, span.end) });
    else result.push(span);
  }
  return result;
}

function common(some: readonly Span[], others: readonly Span[]): readonly Span[] {
  return some.flatMap((one) =>
    others
      .map((other) => ({
        start: Math.max(one.start, other.start),
        end: Math.min(one.end, other.end),
      }))
      .filter(({ start, end }) => start < end),
  );
}

function without(spans: readonly Span[], closed: Span): readonly Span[] {
  return common(spans, [
    { start: Number.NEGATIVE_INFINITY, end: closed.start },
    { start: closed.end, end: Number.POSITIVE_INFINITY },
  ]);
}
