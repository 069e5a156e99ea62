import { afterEach, expect, test, vi } from "vitest";
import { digestOf } from "../../src/live/digest.js";
import { aSlot, digestOf as expected, modelOf } from "./frames.js";

afterEach(() => void vi.unstubAllGlobals());

test("the digest is the sum of the hashes that the proto tells, modulo 2^64", async () => {
  const many = Array.from({ length: 450 }, (_, number) =>
    aSlot(number, { seats: 1 + (number % 3) }),
  );
  for (const slots of [[], [aSlot(18, { seats: 2 })], many])
    expect(await digestOf(modelOf(...slots))).toBe(expected(slots));
});

test("a slot is hashed once, however often it is asked for", async () => {
  const subtle = {
    digest: vi.fn((name: string, bytes: Uint8Array<ArrayBuffer>) => real.digest(name, bytes)),
  };
  const real = crypto.subtle;
  vi.stubGlobal("crypto", { subtle });
  const slots = modelOf(aSlot(1), aSlot(2));
  await digestOf(slots);
  await digestOf([...slots, ...modelOf(aSlot(3))]);
  expect(subtle.digest).toHaveBeenCalledTimes(3);
});

test("where the browser lets a page hash nothing there is no digest", async () => {
  vi.stubGlobal("crypto", {});
  expect(await digestOf(modelOf(aSlot(1)))).toBeNull();
});
