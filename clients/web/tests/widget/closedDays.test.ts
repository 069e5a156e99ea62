/** Which days are closed for an appointment: by what the service says of its hours, against a plain count. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { parseDate } from "@internationalized/date";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AppointmentType, Catalog, Hours } from "../../src/api/model.js";
import {
  type Closure,
  ClosureSchema,
  type Schedule,
  ScheduleSchema,
} from "../../src/gen/slotcast/v1/catalog_service_pb.js";
import { isClosedDay } from "../../src/widget/closedDays.js";

const BERLIN = "Europe/Berlin";
const QUARTER_MS = 900_000;

type Wall = { start: string; end: string };
interface Person {
  readonly timeZone: string;
  readonly weekly: readonly { weekday: number; intervals: Wall[] }[];
  readonly exceptions: readonly { date: string; intervals: Wall[] }[];
}
interface Shut {
  /** By their index; empty: all. */
  readonly people: readonly number[];
  readonly dates?: { firstDate: string; lastDate: string };
  readonly times?: { start: number; end: number };
}
interface Case {
  readonly anyOf: readonly Person[];
  readonly allOf: readonly Person[];
  readonly shut: readonly Shut[];
  readonly minutes: number;
  readonly viewer: string;
  readonly day: string;
}

const NOBODY: readonly Person[] = [];
const daily = (...intervals: Wall[]) =>
  [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, intervals }));
const weekdays = (...intervals: Wall[]) => daily(...intervals).slice(0, 5);
const DAYTIME = { start: "09:00", end: "17:00" };
const anna: Person = { timeZone: BERLIN, weekly: weekdays(DAYTIME), exceptions: [] };
const ONE = { anyOf: [anna], allOf: NOBODY, shut: [], minutes: 30, viewer: BERLIN };
const SUNDAY = "2030-01-13";
const MONDAY = "2030-01-14";

function nameOf(index: number): string {
  return `businesses/salon/calendars/c${index}`;
}

function isClosed({ anyOf, allOf, shut, minutes, viewer, day }: Case, chosen?: number): boolean {
  const people = [...anyOf, ...allOf];
  const names = people.map((_, index) => nameOf(index));
  const type = {
    name: "type",
    anyOf: names.slice(0, anyOf.length),
    allOf: names.slice(anyOf.length),
  } as unknown as AppointmentType;
  const calendars = people.map(({ timeZone }, index) => ({
    name: nameOf(index),
    displayName: "",
    timeZone,
    schedule: `s${index}`,
  }));
  const catalog = { calendars: new Map(calendars.map((each) => [each.name, each])) };
  const hours: Hours = { schedules: people.map(scheduleOf), closures: shut.map(closureOf) };
  const calendar = chosen === undefined ? "" : nameOf(chosen);
  const selection = { type, calendar, durationSeconds: 60 * minutes };
  return isClosedDay(parseDate(day), viewer, selection, catalog as unknown as Catalog, hours);
}

function scheduleOf({ weekly, exceptions }: Person, index: number): Schedule {
  const init = { name: `s${index}`, weekly: [...weekly], exceptions: [...exceptions] };
  return create(ScheduleSchema, init);
}

function closureOf({ people, dates, times }: Shut): Closure {
  const calendars = people.map(nameOf);
  if (dates) return create(ClosureSchema, { calendars, span: { case: "dates", value: dates } });
  const startTime = timestampFromMs(times?.start ?? 0);
  const endTime = timestampFromMs(times?.end ?? 0);
  return create(ClosureSchema, {
    calendars,
    span: { case: "times", value: { startTime, endTime } },
  });
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The date and time that a clock shows. */
function shown(timeZone: string, at: number): { date: string; time: string } {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  clocks.set(timeZone, clock);
  const [date = "", time = ""] = clock.format(at).split(" ");
  return { date, time };
}

function wallsOf({ weekly, exceptions }: Person, date: string): readonly Wall[] {
  const weekday = new Date(`${date}T12:00:00Z`).getUTCDay() || 7;
  const ofDate = exceptions.find((each) => each.date === date);
  return (ofDate ?? weekly.find((each) => each.weekday === weekday))?.intervals ?? [];
}

function isThere({ anyOf, allOf, shut }: Case, index: number, at: number): boolean {
  const person = [...anyOf, ...allOf][index] as Person;
  const { date, time } = shown(person.timeZone, at);
  const before = new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  const isShut = shut.some(
    ({ people, dates, times }) =>
      (people.length === 0 || people.includes(index)) &&
      ((dates && dates.firstDate <= date && date <= dates.lastDate) ||
        (times && times.start <= at && at < times.end)),
  );
  const isToday = ({ start, end }: Wall) => start <= time && (end <= start || time < end);
  const isLate = ({ start, end }: Wall) => end <= start && time < end;
  const isOpen = wallsOf(person, date).some(isToday) || wallsOf(person, before).some(isLate);
  return isOpen && !isShut;
}

/** Whether no quarter of an hour of the visitor's day is one at which it could start. */
function hasNoStart(asked: Case): boolean {
  const { anyOf, allOf, minutes, viewer, day } = asked;
  const noon = Date.parse(`${day}T12:00:00Z`);
  const quarters = Array.from({ length: 300 }, (_, index) => noon + (index - 150) * QUARTER_MS);
  const starts = quarters.filter((at) => shown(viewer, at).date === day);
  const rooms = allOf.map((_, index) => anyOf.length + index);
  const fits = (people: readonly number[], at: number) =>
    Array.from({ length: minutes / 15 }, (_, index) => at + index * QUARTER_MS).every((quarter) =>
      people.every((index) => isThere(asked, index, quarter)),
    );
  const choices = anyOf.length > 0 ? anyOf.map((_, index) => [index, ...rooms]) : [rooms];
  return !choices.some((people) => starts.some((at) => fits(people, at)));
}

// Clocks change between one and four at night: what is read there in two ways is tested by itself.
const times = [0, 15, 45, ...Array.from({ length: 80 }, (_, index) => 240 + 15 * index)].map(
  (minute) => new Date(60_000 * minute).toISOString().slice(11, 16),
);
const wall = fc.record({
  start: fc.constantFrom(...times),
  end: fc.constantFrom(...times, "24:00"),
});
const walls = fc.oneof(
  { weight: 2, arbitrary: fc.constant([] as Wall[]) },
  { weight: 3, arbitrary: fc.array(wall, { minLength: 1, maxLength: 2 }) },
);
const zone = fc.constantFrom(
  BERLIN,
  "America/New_York",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Asia/Tokyo",
  "Australia/Lord_Howe",
  "Pacific/Auckland",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
);
// Around the days on which clocks change, in one zone or another.
const date = fc
  .tuple(
    fc.constantFrom("2030-03-10", "2030-03-31", "2030-04-07", "2030-10-06", "2030-10-27"),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([near, days]) => parseDate(near).add({ days }).toString());
const person: fc.Arbitrary<Person> = fc.record({
  timeZone: zone,
  weekly: fc
    .array(walls, { minLength: 7, maxLength: 7 })
    .map((all) => all.map((intervals, index) => ({ weekday: index + 1, intervals }))),
  exceptions: fc.uniqueArray(fc.record({ date, intervals: walls }), {
    selector: (each) => each.date,
    maxLength: 3,
  }),
});
const shut: fc.Arbitrary<Shut> = fc
  .tuple(fc.subarray([0, 1, 2]), date, fc.nat({ max: 3 }), fc.nat({ max: 200 }), fc.boolean())
  .map(([people, first, days, quarters, isDates]) => {
    if (isDates) {
      const lastDate = parseDate(first).add({ days }).toString();
      return { people, dates: { firstDate: first, lastDate } };
    }
    const start = Date.parse(`${first}T00:00:00Z`) + quarters * QUARTER_MS;
    return { people, times: { start, end: start + (days * 48 + 1) * QUARTER_MS } };
  });
const asked: fc.Arbitrary<Case> = fc
  .record({
    anyOf: fc.array(person, { maxLength: 2 }),
    allOf: fc.array(person, { maxLength: 1 }),
    shut: fc.array(shut, { maxLength: 2 }),
    minutes: fc.constantFrom(15, 30, 60, 120),
    viewer: zone,
    day: date,
  })
  .filter(({ anyOf, allOf }) => anyOf.length + allOf.length > 0);

test("a day is closed if and only if no quarter of it can be started at, by whichever clocks", () => {
  const seen = { closed: 0, open: 0 };
  fc.assert(
    fc.property(asked, (one) => {
      const closed = hasNoStart(one);
      seen[closed ? "closed" : "open"]++;
      expect(isClosed(one)).toBe(closed);
    }),
    { numRuns: 250 },
  );
  expect(Math.min(seen.closed, seen.open)).toBeGreaterThan(25);
});

test("a day that the week leaves out is closed, and open by an exception", () => {
  expect(isClosed({ ...ONE, day: SUNDAY })).toBe(true);
  expect(isClosed({ ...ONE, day: MONDAY })).toBe(false);
  const opened = { ...anna, exceptions: [{ date: SUNDAY, intervals: [DAYTIME] }] };
  expect(isClosed({ ...ONE, anyOf: [opened], day: SUNDAY })).toBe(false);
  const ended = { ...anna, exceptions: [{ date: MONDAY, intervals: [] }] };
  expect(isClosed({ ...ONE, anyOf: [ended], day: MONDAY })).toBe(true);
});

test("what another's clock makes of a closed day counts by the instants, not by the date", () => {
  const far = { ...ONE, viewer: "Pacific/Auckland" };
  // Berlin's Friday until 17:00 is Saturday until 5 in the morning there.
  expect(isClosed({ ...far, day: "2030-01-12" })).toBe(false);
  expect(isClosed({ ...far, day: "2030-01-13" })).toBe(true);
  // Nothing of Monday's hours lies in Auckland's Monday before 21:00.
  expect(isClosed({ ...far, day: "2030-01-14" })).toBe(false);
  const early = { ...anna, weekly: weekdays({ start: "13:00", end: "17:00" }) };
  expect(isClosed({ ...far, anyOf: [early], day: "2030-01-14" })).toBe(true);
});

test("a night that reaches into a closed day opens it, if the appointment still fits", () => {
  const bar = { ...anna, weekly: [{ weekday: 6, intervals: [{ start: "20:00", end: "00:30" }] }] };
  expect(isClosed({ ...ONE, anyOf: [bar], day: SUNDAY })).toBe(false);
  expect(isClosed({ ...ONE, anyOf: [bar], minutes: 60, day: SUNDAY })).toBe(true);
});

test("hours that touch are one, also at midnight", () => {
  const [one, other] = [
    { start: "22:00", end: "22:30" },
    { start: "22:30", end: "24:00" },
  ];
  const evening = { ...anna, weekly: daily(one, other) };
  expect(isClosed({ ...ONE, anyOf: [evening], minutes: 120, day: MONDAY })).toBe(false);
  const night = {
    ...anna,
    weekly: daily({ start: "23:00", end: "24:00" }, { start: "00:00", end: "01:00" }),
  };
  expect(isClosed({ ...ONE, anyOf: [night], minutes: 120, day: MONDAY })).toBe(false);
  expect(isClosed({ ...ONE, anyOf: [night], minutes: 135, day: MONDAY })).toBe(true);
});

test("hours that a change of clocks skips or repeats are no reason to call a day closed", () => {
  const night = { ...anna, weekly: daily({ start: "02:30", end: "03:30" }) };
  expect(isClosed({ ...ONE, anyOf: [night], day: "2030-03-31" })).toBe(false);
  expect(isClosed({ ...ONE, anyOf: [night], day: "2030-10-27" })).toBe(false);
});

test("one of the people is enough, and all of what comes with them is needed", () => {
  const never = { ...anna, weekly: [] };
  const onMonday = { ...ONE, anyOf: [never, anna], day: MONDAY };
  expect(isClosed(onMonday)).toBe(false);
  expect(isClosed(onMonday, 0)).toBe(true);
  expect(isClosed({ ...onMonday, allOf: [never] })).toBe(true);
});

test("what is not known is open", () => {
  const type = { anyOf: ["a"], allOf: ["b"] } as unknown as AppointmentType;
  const selection = { type, calendar: "", durationSeconds: 1_800 };
  const calendar = { name: "a", displayName: "", timeZone: BERLIN, schedule: "gone" };
  const catalog = { calendars: new Map([["a", calendar]]) } as unknown as Catalog;
  const hours = { schedules: [], closures: [] };
  expect(isClosedDay(parseDate(SUNDAY), BERLIN, selection, catalog, hours)).toBe(false);
});
