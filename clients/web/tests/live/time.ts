/** The browser's two clocks and its timers, set by a test. */
import { vi } from "vitest";

export function holdTime(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
    now: Date.UTC(2026, 10, 27, 12),
  });
}

/** Lets time pass, with its timers, and all that follows from them. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Lets all happen that waits for nothing but the processor. */
export async function settle(): Promise<void> {
  await pass(0);
}

/** Puts the wall clock ahead; no timer runs, and the steady clock stands: so it is when a machine sleeps. */
export function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

/** Waits for what a thread of its own does, such as hashing. No timer runs meanwhile. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
