import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FreshnessCountdown } from "../../src/live/freshness.js";
import { holdTime, pass, sleep } from "./time.js";

beforeEach(holdTime);
afterEach(() => void vi.useRealTimers());

const SERVER_MS = 1_000_000;

function begun(): FreshnessCountdown {
  const freshness = new FreshnessCountdown();
  freshness.beginStream();
  return freshness;
}

test("it begins stale", () => {
  expect(new FreshnessCountdown().msLeft()).toBe(0);
});

test("what a frame told is good for stale_after, whatever the server's clock says", async () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  expect(freshness.msLeft()).toBe(12_000);
  await pass(11_999);
  expect(freshness.msLeft()).toBe(1);
  await pass(1);
  expect(freshness.msLeft()).toBe(0);
});

test("a frame that was under way for longer than the quickest one is so much the older", async () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  await pass(10_000);
  freshness.told(SERVER_MS + 3_000, 12_000);
  expect(freshness.msLeft()).toBe(5_000);
  freshness.told(SERVER_MS + 10_000, 12_000);
  expect(freshness.msLeft()).toBe(12_000);
});

test("the first frame of a stream may be as old as the request for it, the next ones not", async () => {
  const freshness = begun();
  await pass(2_000);
  freshness.told(SERVER_MS, 12_000);
  expect(freshness.msLeft()).toBe(10_000);
  await pass(5_000);
  freshness.told(SERVER_MS + 5_000, 12_000);
  expect(freshness.msLeft()).toBe(12_000);
});

test("another stream may be of a server with another clock", async () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  await pass(1_000);
  freshness.beginStream();
  freshness.told(SERVER_MS - 60_000, 12_000);
  expect(freshness.msLeft()).toBe(12_000);
});

test("it is stale after the machine slept, though the steady clock stood still", () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  sleep(60_000);
  expect(freshness.msLeft()).toBeLessThan(0);
});

test("a frame that was read only after a sleep is as old as the sleep", () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  sleep(60_000);
  freshness.told(SERVER_MS + 5_000, 12_000);
  expect(freshness.msLeft()).toBeLessThan(0);
  freshness.told(SERVER_MS + 60_000, 12_000);
  expect(freshness.msLeft()).toBe(12_000);
});

test("a clock that is put back makes nothing good for longer", async () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  sleep(-3_600_000);
  await pass(12_000);
  expect(freshness.msLeft()).toBe(0);
});

test("it lapses at once", () => {
  const freshness = begun();
  freshness.told(SERVER_MS, 12_000);
  freshness.lapse();
  expect(freshness.msLeft()).toBe(0);
});
