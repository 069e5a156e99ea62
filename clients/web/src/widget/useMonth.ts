import {
  type CalendarDate,
  fromAbsolute,
  parseDate,
  startOfMonth,
  toCalendarDate,
} from "@internationalized/date";
import { useMemo, useState } from "react";
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
  setFocused(date: CalendarDate): void;
  /** The first and the last day that may have slots. */
  readonly min: CalendarDate;
  readonly max: CalendarDate;
  readonly query: SlotQuery;
}

/** The month that is looked at, and what is asked for it. */
export function useMonth(selection: Selection, timeZone: string, day: string | null): Month {
  const { clock } = useSlotcast();
  const { horizonSeconds } = selection.type;
  const [min, max] = useMemo(() => {
    const now = clock.now();
    const day = (ms: number) => toCalendarDate(fromAbsolute(ms, timeZone));
    return [day(now), day(now + 1000 * horizonSeconds)];
  }, [clock, timeZone, horizonSeconds]);
  const [wished, setFocused] = useState(() => (day ? parseDate(day) : min));
  const focused = between(min, wished, max);
  const month = startOfMonth(focused).toString();
  const query = useMemo(
    () => queryOf(selection, month, timeZone, clock.now()),
    [selection, month, timeZone, clock],
  );
  return { focused, setFocused, min, max, query };
}

function between(min: CalendarDate, date: CalendarDate, max: CalendarDate): CalendarDate {
  if (date.compare(min) < 0) return min;
  return date.compare(max) > 0 ? max : date;
}

function queryOf(selection: Selection, month: string, timeZone: string, nowMs: number): SlotQuery {
  const first = parseDate(month);
  const firstMs = first.toDate(timeZone).getTime();
  const end = first.add({ months: 1 }).toDate(timeZone);
  const start = new Date(Math.min(Math.max(firstMs, nowMs), end.getTime() - 1000));
  return {
    appointmentTypes: [selection.type.name],
    calendars: selection.calendar && !isLeftToService(selection) ? [selection.calendar] : [],
    start,
    end,
    durationSeconds: selection.durationSeconds,
  };
}
