import { useEffect, useMemo, useState } from "react";
import type { Catalog, Hours } from "../api/model.js";
import { useSlotcast } from "../live/provider.js";
import { useSpeaking } from "../words/provider.js";
import { isClosedDay } from "./closedDays.js";
import type { Days } from "./days.js";
import type { Selection } from "./selection.js";
import type { Month } from "./useMonth.js";

const NONE: ReadonlySet<string> = new Set();

/** Of the month that is looked at, the days without times for which one cannot wait: then it is closed. */
export function useClosedDays(
  isWanted: boolean,
  { days: ofMonth }: Month,
  days: Days,
  selection: Selection,
  catalog: Catalog,
): ReadonlySet<string> {
  const { timeZone } = useSpeaking().formats;
  const hours = useHours(isWanted);
  const closed = useMemo(
    () =>
      hours
        ? ofMonth.filter((day) => isClosedDay(day, timeZone, selection, catalog, hours)).map(String)
        : [],
    [hours, ofMonth, timeZone, selection, catalog],
  );
  return useMemo(
    () => (closed.length > 0 ? new Set(closed.filter((day) => !days.has(day))) : NONE),
    [closed, days],
  );
}

/** When the calendars are open, from when it is first wanted; null where that cannot be known. */
function useHours(isWanted: boolean): Hours | null {
  const slotcast = useSlotcast();
  const [isAsked, setAsked] = useState(false);
  const [hours, setHours] = useState<Hours | null>(null);
  if (isWanted && !isAsked) setAsked(true);
  useEffect(() => {
    if (!isAsked) return;
    const leaving = new AbortController();
    // A key that may not read it, or nobody answers: then no day is known to be closed.
    slotcast.hours(leaving.signal).then(setHours, () => undefined);
    return () => leaving.abort();
  }, [isAsked, slotcast]);
  return hours;
}
