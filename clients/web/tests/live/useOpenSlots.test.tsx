// @vitest-environment jsdom
import { act, cleanup, renderHook } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SlotQuery } from "../../src/api/model.js";
import { SlotcastProvider } from "../../src/live/provider.js";
import { useOpenSlots } from "../../src/live/useOpenSlots.js";
import { aModel, aSlot, delta, heartbeat, modelOf, STALE_AFTER_MS, snapshot } from "./frames.js";
import { QUERY, Service } from "./service.js";
import { holdTime, pass, settle, sleep } from "./time.js";

const TWO_SLOTS = [aSlot(1), aSlot(2)];
const OTHER_QUERY = { ...QUERY, calendars: ["businesses/salon/calendars/bert"] };

let service: Service;

beforeEach(() => {
  holdTime();
  service = new Service();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function render(query: SlotQuery | null, { strict = false } = {}) {
  let renders = 0;
  const rendered = renderHook(
    (props: SlotQuery | null) => {
      renders += 1;
      return useOpenSlots(props);
    },
    {
      initialProps: query,
      wrapper: ({ children }: { children: ReactNode }) => {
        const tree = <SlotcastProvider slotcast={service.slotcast}>{children}</SlotcastProvider>;
        return strict ? <StrictMode>{tree}</StrictMode> : tree;
      },
    },
  );
  await act(settle);
  return { ...rendered, renders: () => renders };
}

async function happens(what: () => void, ms = 0): Promise<void> {
  await act(async () => {
    what();
    await pass(ms);
  });
}

test("it loads, shows the slots, and follows them", async () => {
  const { result } = await render(QUERY);
  expect(result.current).toMatchObject({ freshness: "loading", slots: [] });
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  expect(result.current).toMatchObject({ freshness: "fresh", slots: modelOf(...TWO_SLOTS) });
  await happens(() => service.last.send(delta(2, { closed: [aSlot(1)] })));
  expect(result.current.slots).toEqual(modelOf(aSlot(2)));
});

test("heartbeats render nothing", async () => {
  const { renders } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  const before = renders();
  await happens(() => service.last.send(heartbeat(2, TWO_SLOTS), delta(3, {})));
  expect(renders()).toBe(before);
});

test("no query: it loads, and asks for nothing", async () => {
  const { result, rerender } = await render(null);
  expect(result.current.freshness).toBe("loading");
  expect(result.current.isOffered(aModel(1))).toBe(false);
  expect(service.streams).toHaveLength(0);
  rerender(QUERY);
  await act(settle);
  expect(service.streams).toHaveLength(1);
});

test("another query is another watch, and nothing of the old one is shown for it", async () => {
  const { result, rerender } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  rerender(OTHER_QUERY);
  expect(result.current).toMatchObject({ freshness: "loading", slots: [] });
  await act(settle);
  expect(service.streams.map((stream) => stream.isCut)).toEqual([true, false]);
  expect(service.last.request.calendars).toEqual(OTHER_QUERY.calendars);
});

test("a query that says the same is the same one", async () => {
  const { rerender } = await render(QUERY);
  rerender({
    ...QUERY,
    appointmentTypes: [...QUERY.appointmentTypes],
    start: new Date(QUERY.start),
  });
  await act(settle);
  expect(service.streams).toHaveLength(1);
});

test("unmounting ends the stream and its timers", async () => {
  const { unmount } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  unmount();
  await settle();
  expect(service.last.isCut).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("in StrictMode one stream is left, and it is followed", async () => {
  const { result } = await render(QUERY, { strict: true });
  expect(service.streams.filter((stream) => !stream.isCut)).toEqual([service.last]);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  expect(result.current.freshness).toBe("fresh");
});

test("a slot is offered while it is open and known to be", async () => {
  const { result } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  const { isOffered } = result.current;
  expect(isOffered(aModel(1))).toBe(true);
  await happens(() => service.last.send(delta(2, { closed: [aSlot(1)] })));
  expect(isOffered(aModel(1))).toBe(false);
  expect(isOffered(aModel(2))).toBe(true);
});

test("a click right after a sleep is not accepted, though the page still shows the slots as open", async () => {
  const { result } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  sleep(60_000);
  expect(result.current.freshness).toBe("fresh");
  expect(result.current.isOffered(aModel(1))).toBe(false);
});

test("a view that grows stale is rendered as stale", async () => {
  const { result } = await render(QUERY);
  await happens(() => service.last.send(...snapshot(1, TWO_SLOTS)));
  await happens(() => undefined, STALE_AFTER_MS);
  expect(result.current).toMatchObject({ freshness: "stale", slots: modelOf(...TWO_SLOTS) });
});

test("without a provider it says what is missing", () => {
  const silence = vi.spyOn(console, "error").mockReturnValue();
  expect(() => renderHook(() => useOpenSlots(QUERY))).toThrow(/SlotcastProvider/);
  silence.mockRestore();
});
