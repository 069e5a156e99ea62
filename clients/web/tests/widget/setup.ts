import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { NOW } from "./now.js";

// The first import of a screen is compiled while the test waits.
configure({ asyncUtilTimeout: 8_000 });

beforeEach(() => {
  // The date is the test's; timers stay the machine's.
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  sessionStorage.clear();
  localStorage.clear();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});
