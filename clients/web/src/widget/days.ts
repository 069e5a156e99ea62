/** Slots as a visitor chooses among them: days, and the starts of a day. Pure. */
import type { Slot } from "../api/model.js";

/** What starts at one instant. With "anyone" it may be on several calendars. */
export interface Start {
  readonly at: Date;
  readonly slots: readonly Slot[];
  /** Of the calendar with the most. */
  readonly seatsLeft: number;
}

/** By day, `2030-01-31`; days and starts in order, as the slots are. */
export type Days = ReadonlyMap<string, readonly Start[]>;

export function daysOf(slots: readonly Slot[], dayKey: (instant: Date) => string): Days {
  const days = new Map<string, Start[]>();
  for (const slot of slots) {
    const key = dayKey(slot.start);
    const starts = days.get(key) ?? [];
    days.set(key, starts);
    const same = starts.at(-1);
    if (same?.at.getTime() === slot.start.getTime())
      starts[starts.length - 1] = together(same, slot);
    else starts.push({ at: slot.start, slots: [slot], seatsLeft: slot.seatsLeft });
  }
  return days;
}

function together(start: Start, slot: Slot): Start {
  return {
    at: start.at,
    slots: [...start.slots, slot],
    seatsLeft: Math.max(start.seatsLeft, slot.seatsLeft),
  };
}

export const PARTS_OF_DAY = ["morning", "afternoon", "evening"] as const;
export type PartOfDay = (typeof PARTS_OF_DAY)[number];

export function partOfDay(hour: number): PartOfDay {
  if (hour < 12) return "morning";
  return hour < 17 ? "afternoon" : "evening";
}

/** Where the focus goes when this start is gone: the next one, else the one before. */
export function neighbour(starts: readonly Start[], goneMs: number): Start | undefined {
  return starts.find(({ at }) => at.getTime() > goneMs) ?? starts.at(-1);
}
