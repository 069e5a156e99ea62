import {
  type CalendarDate,
  endOfMonth,
  fromAbsolute,
  parseDate,
  startOfMonth,
  toCalendarDate,
} from "@internationalized/date";
import { type Dispatch, type SetStateAction, useMemo, useState } from "react";
import type { SlotQuery } from "../api/model.js";
import { useSlotcast } from "../live/provider.js";
import { isLeftToService, type Selection } from "./selection.js";

/** The day whose times were shown last, `2030-01-31`, which is kept over the other screens. */
export interface LookedAt {
  current: string | null;
}

export interface Month {
  /** The day of the grid that has the focus, or gets it. */
  readonly focused: CalendarDate;
  readonly setFocused: Dispatch<SetStateAction<CalendarDate>>;
  /** All days of its month. */
  readonly days: readonly CalendarDate[];
  /** The first and the last day that may have slots. */
  readonly min: CalendarDate;
  readonly max: CalendarDate;
  /** Whether the type's notice and horizon allow a start on this day. */
  isBookable(day: CalendarDate): boolean;
  readonly query: SlotQuery;
}

/** The month that is looked at, and what is asked for it. */
export function useMonth(selection: Selection, timeZone: string, day: string | null): Month {
  const { clock } = useSlotcast();
  const { noticeSeconds, horizonSeconds } = selection.type;
  const dayAt = (ms: number) => toCalendarDate(fromAbsolute(ms, timeZone)).toString();
  // By the service's clock, and each time anew: a page may be open over midnight.
  const now = clock.now();
  const [first, last] = [dayAt(now), dayAt(now + 1000 * horizonSeconds)];
  const soonest = dayAt(now + 1000 * noticeSeconds);
  // As text, days are in order too.
  const isBookable = (day: CalendarDate) => `${day}` >= soonest && `${day}` <= last;
  const [min, max] = useMemo(() => [parseDate(first), parseDate(last)], [first, last]);
  const [wished, setFocused] = useState(() => (day ? parseDate(day) : min));
  const focused = between(min, wished, max);
  const month = startOfMonth(focused).toString();
  const days = useMemo(() => daysFrom(parseDate(month)), [month]);
  const query = useMemo(() => queryOf(selection, month, timeZone), [selection, month, timeZone]);
  return { focused, setFocused, days, min, max, isBookable, query };
}

function daysFrom(first: CalendarDate): readonly CalendarDate[] {
  const count = endOfMonth(first).day;
  return Array.from({ length: count }, (_, days) => first.add({ days }));
}

function between(min: CalendarDate, date: CalendarDate, max: CalendarDate): CalendarDate {
  if (date.compare(min) < 0) return min;
  return date.compare(max) > 0 ? max : date;
}

/** The whole month: what has passed, the service knows best. */
function queryOf(selection: Selection, month: string, timeZone: string): SlotQuery {
  const first = parseDate(month);
  return {
    appointmentTypes: [selection.type.name],
    calendars: selection.calendar && !isLeftToService(selection) ? [selection.calendar] : [],
    start: first.toDate(timeZone),
    end: first.add({ months: 1 }).toDate(timeZone),
    durationSeconds: selection.durationSeconds,
  };
}
