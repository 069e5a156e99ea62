import { expect, test } from "vitest";
import { createFormats, isTimeZone, localHourCycle, secondsLater } from "../../src/words/format.js";

const WINTER = new Date("2030-01-08T09:00:00Z");
const formats = createFormats("en-GB", "Europe/Berlin", "h23");

test("times are those of the zone", () => {
  expect(formats.time(WINTER)).toBe("10:00");
  expect(createFormats("en-US", "Europe/Berlin", "h12").time(WINTER)).toMatch(/^10:00\sAM$/);
  expect(
    createFormats("en-US", "Europe/Berlin", "h23").time(new Date("2030-01-08T23:05:00Z")),
  ).toMatch(/^0?0:05$/);
});

test("a day is that of the zone", () => {
  const late = new Date("2030-01-08T23:30:00Z");
  expect(formats.dayKey(late)).toBe("2030-01-09");
  expect(createFormats("ar-EG", "UTC", "h12").dayKey(late)).toBe("2030-01-08");
  expect(createFormats("ja-JP-u-ca-japanese", "Asia/Tokyo", "h23").dayKey(late)).toBe("2030-01-09");
  expect(formats.hour(late)).toBe(0);
});

test.each([
  [1800, "30 minutes"],
  [3600, "1 hour"],
  [2700, "45 minutes"],
  [7200, "2 hours"],
  [5400, "1 hr 30 min"],
  [19_800, "5 hr 30 min"],
])("%i seconds are %s", (seconds, written) => {
  expect(createFormats("en-US", "UTC", "h12").duration(seconds)).toBe(written);
});

test("a countdown ends at nothing", () => {
  expect([299_001, 61_000, 9_000, 0, -5].map((ms) => formats.countdown(ms))).toEqual([
    "5:00",
    "1:01",
    "0:09",
    "0:00",
    "0:00",
  ]);
});

test("how much later a clock is depends on the day", () => {
  const summer = new Date("2030-03-20T12:00:00Z");
  expect(secondsLater("Europe/London", "Europe/Berlin", WINTER)).toBe(3_600);
  expect(secondsLater("America/New_York", "Europe/Berlin", WINTER)).toBe(6 * 3_600);
  expect(secondsLater("America/New_York", "Europe/Berlin", summer)).toBe(5 * 3_600);
  expect(secondsLater("Asia/Kolkata", "Europe/Berlin", WINTER)).toBe(-4.5 * 3_600);
  expect(secondsLater("Pacific/Auckland", "Pacific/Honolulu", WINTER)).toBe(-23 * 3_600);
});

test("hours are counted as the language does", () => {
  expect([localHourCycle("en-US"), localHourCycle("de"), localHourCycle("ja")]).toEqual([
    "h12",
    "h23",
    "h23",
  ]);
});

test("a zone that does not exist is known", () => {
  expect([isTimeZone("Europe/Berlin"), isTimeZone("Mars/Olympus")]).toEqual([true, false]);
});
