import { type CalendarDate, isSameMonth, parseDate, startOfMonth } from "@internationalized/date";
import { useEffect, useRef, useState } from "react";
import type { Days } from "./days.js";
import type { LookedAt, Month } from "./useMonth.js";

/** The day whose times are shown: the visitor's, or the first of the month that has any. */
export function useDay(
  days: Days,
  month: Month,
  isFresh: boolean,
  lookedAt: LookedAt,
): [string | null, (day: string) => void] {
  const [day, setDay] = useState<string | null>(lookedAt.current);
  const { focused, setFocused, max } = month;
  const isShown = isOfMonth(day, focused);
  const [first] = days.keys();
  const untouched = useRef(day === null);
  useEffect(() => {
    lookedAt.current = day;
  }, [lookedAt, day]);
  useEffect(() => {
    if (!isFresh || isShown) return;
    // What the visitor has done before this is run counts more.
    const turnTo = (date: CalendarDate) =>
      setFocused((now) => (now.compare(focused) === 0 ? date : now));
    if (first !== undefined) {
      if (untouched.current) turnTo(parseDate(first));
      untouched.current = false;
      setDay((now) => (isOfMonth(now, focused) ? now : first));
      return;
    }
    // At the end of a month there may be nothing left: what comes is the next one.
    const next = startOfMonth(focused).add({ months: 1 });
    if (untouched.current && next.compare(max) <= 0) turnTo(next);
    untouched.current = false;
  }, [isFresh, isShown, first, focused, setFocused, max]);
  const firstShown = isFresh ? (first ?? null) : null;
  return [isShown ? day : firstShown, setDay];
}

function isOfMonth(day: string | null, month: CalendarDate): boolean {
  return day !== null && isSameMonth(parseDate(day), month);
}
