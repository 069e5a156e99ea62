import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServerClock } from "../../src/api/serverClock.js";
import { holdTime, pass, sleep } from "../live/time.js";

beforeEach(holdTime);
afterEach(() => void vi.useRealTimers());

const SERVER_MS = Date.UTC(2026, 5, 1);

function told(asOfMs: number): ServerClock {
  const clock = new ServerClock();
  clock.told(asOfMs);
  return clock;
}

test("before any frame it is the visitor's clock", () => {
  expect(new ServerClock().now()).toBe(Date.now());
});

test("it is what a frame said and what has passed since", async () => {
  const clock = told(SERVER_MS);
  await pass(1_500);
  expect(clock.now()).toBe(SERVER_MS + 1_500);
});

test("a frame that came late does not set it back, a quicker one sets it ahead", async () => {
  const clock = told(SERVER_MS);
  await pass(5_000);
  clock.told(SERVER_MS + 4_000);
  expect(clock.now()).toBe(SERVER_MS + 5_000);
  clock.told(SERVER_MS + 5_200);
  expect(clock.now()).toBe(SERVER_MS + 5_200);
});

test("it follows a service whose clock is slower within half a minute of frames", async () => {
  const clock = told(SERVER_MS);
  for (let seconds = 5; seconds <= 35; seconds += 5) {
    await pass(5_000);
    clock.told(SERVER_MS + seconds * 990);
  }
  expect(clock.now()).toBe(SERVER_MS + 35 * 990);
});

test("it goes on while the machine sleeps", () => {
  const clock = told(SERVER_MS);
  sleep(60_000);
  expect(clock.now()).toBe(SERVER_MS + 60_000);
});

test("a visitor's clock that is set ahead, or back, is put right by the next frame", async () => {
  const clock = told(SERVER_MS);
  sleep(20_000);
  await pass(1_000);
  clock.told(SERVER_MS + 1_000);
  expect(clock.now()).toBe(SERVER_MS + 1_000);
  sleep(-20_000);
  await pass(1_000);
  expect(clock.now()).toBe(SERVER_MS + 2_000);
  clock.told(SERVER_MS + 2_000);
  expect(clock.now()).toBe(SERVER_MS + 2_000);
});
