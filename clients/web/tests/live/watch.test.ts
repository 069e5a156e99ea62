// @vitest-environment jsdom
/** W1 to W5 at the client: live, resumed, and never offered when it cannot be known. */
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, type Mock, test, vi } from "vitest";
import type { SlotQuery } from "../../src/api/model.js";
import { Reset_Reason } from "../../src/gen/slotcast/v1/availability_service_pb.js";
import { type SlotWatch, watchSlots } from "../../src/live/watch.js";
import {
  aSlot,
  asOfAt,
  chunks,
  delta,
  frame,
  goodbye,
  heartbeat,
  modelOf,
  reset,
  STALE_AFTER_MS,
  snapshot,
  snapshotEnd,
} from "./frames.js";
import { QUERY, Service } from "./service.js";
import { holdTime, pass, settle, sleep, until } from "./time.js";

const HEALS_MS = 5_000;
const TWO_SLOTS = [aSlot(1), aSlot(2)];

let service: Service;
let watches: SlotWatch[];

beforeEach(() => {
  holdTime();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  service = new Service();
  watches = [];
});

afterEach(() => {
  for (const each of watches) each.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function watch(query: SlotQuery = QUERY): { view: SlotWatch; told: Mock<() => void> } {
  const view = watchSlots(service.slotcast, query);
  watches.push(view);
  const told = vi.fn<() => void>();
  view.subscribe(told);
  return { view, told };
}

async function freshWatch(slots = TWO_SLOTS) {
  const watched = watch();
  await settle();
  service.last.send(...snapshot(1, slots));
  await settle();
  watched.told.mockClear();
  return watched;
}

/** Ends the stream that was just opened, and returns how long it took until the next one was. */
async function failAtOnce(): Promise<number> {
  const before = Date.now();
  const { length } = service.streams;
  service.last.fail(Code.Unavailable);
  while (service.streams.length === length) await pass(1);
  return Date.now() - before;
}

function tell(target: EventTarget, type: string): void {
  target.dispatchEvent(new Event(type));
}

function signalOf(options: boolean | AddEventListenerOptions | undefined): AbortSignal | undefined {
  return typeof options === "object" ? options.signal : undefined;
}

function show(state: DocumentVisibilityState): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  tell(document, "visibilitychange");
}

describe("while frames come", () => {
  test("it loads until the snapshot has ended, and then shows the slots by start", async () => {
    const { view, told } = watch();
    await settle();
    service.last.send(...chunks(1, [aSlot(2), aSlot(1)], 1));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "loading", slots: [], asOf: null });
    expect(view.isFresh()).toBe(false);
    expect(told).not.toHaveBeenCalled();
    service.last.send(snapshotEnd(1, 2));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", problem: null, gaveUp: false });
    expect(view.view().slots).toEqual(modelOf(...TWO_SLOTS));
    expect(view.isFresh()).toBe(true);
    expect(told).toHaveBeenCalledTimes(1);
  });

  test("it asks for what the query says, as the visitor who holds", async () => {
    await freshWatch();
    expect(service.last.request).toMatchObject({
      parent: "businesses/salon",
      appointmentTypes: QUERY.appointmentTypes,
      holder: "visitor-1",
      resumeToken: "",
    });
  });

  test("a delta that changes something is told once, and a new view has the new slots", async () => {
    const { view, told } = await freshWatch();
    service.last.send(delta(2, { closed: [aSlot(1)], opened: [aSlot(4)] }));
    await settle();
    expect(told).toHaveBeenCalledTimes(1);
    expect(view.view().slots).toEqual(modelOf(aSlot(2), aSlot(4)));
  });

  test("a heartbeat, or a delta of nothing, is told to nobody, and the view stays the same object", async () => {
    const { view, told } = await freshWatch();
    const before = view.view();
    for (let second = 5; second <= 60; second += 5) {
      await pass(5_000);
      service.last.send(heartbeat(1 + second, TWO_SLOTS), delta(1 + second, {}));
      await settle();
    }
    expect(told).not.toHaveBeenCalled();
    expect(view.view()).toBe(before);
    expect(view.isFresh()).toBe(true);
  });

  test("the service's clock is told", async () => {
    await freshWatch();
    expect(service.slotcast.clock.now()).toBe(asOfAt(1));
  });

  test("a listener that throws keeps nobody else from being told", async () => {
    const { view } = await freshWatch();
    const thrown: unknown[] = [];
    vi.stubGlobal("queueMicrotask", (task: () => void) => {
      try {
        task();
      } catch (error) {
        thrown.push(error);
      }
    });
    view.subscribe(() => {
      throw new Error("of the page");
    });
    const other = vi.fn();
    view.subscribe(other);
    service.last.send(delta(2, { closed: [aSlot(1)] }));
    await settle();
    vi.unstubAllGlobals();
    expect(other).toHaveBeenCalledTimes(1);
    expect(thrown).toEqual([new Error("of the page")]);
    expect(service.streams).toHaveLength(1);
  });

  test("who does not listen any more is not told, and who listens twice is told twice", async () => {
    const { view, told } = await freshWatch();
    const stop = view.subscribe(told);
    service.last.send(delta(2, { closed: [aSlot(1)] }));
    await settle();
    expect(told).toHaveBeenCalledTimes(2);
    stop();
    service.last.send(delta(3, { closed: [aSlot(2)] }));
    await settle();
    expect(told).toHaveBeenCalledTimes(3);
  });
});

describe("stale", () => {
  test("it is at the very moment when stale_after has passed without a frame, and says so", async () => {
    const { view, told } = await freshWatch();
    await pass(STALE_AFTER_MS - 1);
    expect(view.view().freshness).toBe("fresh");
    expect(told).not.toHaveBeenCalled();
    await pass(1);
    expect(told).toHaveBeenCalled();
    expect(view.view().freshness).toBe("stale");
    expect(view.isFresh()).toBe(false);
  });

  test("it is the sooner, the longer its last frame was under way", async () => {
    const { view, told } = await freshWatch();
    await pass(5_000);
    service.last.send(delta(2, {}));
    await pass(STALE_AFTER_MS - 4_000 - 1);
    expect(told).not.toHaveBeenCalled();
    await pass(1);
    expect(told).toHaveBeenCalledTimes(1);
    expect(view.view()).toMatchObject({ freshness: "stale", problem: null });
  });

  test("it still has the slots as they were last told, and the last instant at which they were so", async () => {
    const { view } = await freshWatch();
    service.last.send(heartbeat(9, TWO_SLOTS));
    await pass(STALE_AFTER_MS);
    expect(view.view().slots).toEqual(modelOf(...TWO_SLOTS));
    expect(view.view().asOf).toEqual(new Date(asOfAt(9)));
  });

  test("it is when a machine wakes up, before any timer has run", async () => {
    const { view, told } = await freshWatch();
    sleep(60_000);
    expect(view.isFresh()).toBe(false);
    expect(view.view().freshness).toBe("stale");
    expect(told).not.toHaveBeenCalled();
    await pass(STALE_AFTER_MS);
    expect(told).toHaveBeenCalled();
  });

  test("it stays when frames come that were written before a sleep, and heals by another stream", async () => {
    const { view } = await freshWatch();
    sleep(60_000);
    service.last.send(frame(5, { case: "delta", value: { closed: [] } }));
    await settle();
    expect(view.view().freshness).toBe("stale");
    await pass(250);
    expect(service.streams).toHaveLength(2);
    service.last.send(delta(61, {}));
    await settle();
    expect(view.isFresh()).toBe(true);
  });

  test("it is at once when the browser is offline, whatever is still under way", async () => {
    const { view, told } = await freshWatch();
    const stream = service.last;
    stream.send(heartbeat(2, TWO_SLOTS));
    tell(window, "offline");
    expect(told).toHaveBeenCalledTimes(1);
    expect(view.view()).toMatchObject({ freshness: "stale", problem: { reason: "UNREACHABLE" } });
    await settle();
    expect(stream.isCut).toBe(true);
    expect(view.isFresh()).toBe(false);
  });

  test("it is while a reset has forgotten the slots, until the snapshot after it has ended", async () => {
    const { view } = await freshWatch();
    service.last.send(reset(1, Reset_Reason.EPOCH));
    await settle();
    expect(view.view().freshness).toBe("stale");
    service.last.send(...snapshot(1, [aSlot(3)]));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", slots: modelOf(aSlot(3)) });
  });
});

describe("a stream that ends", () => {
  test("by a goodbye is followed by one that resumes, and the view stays fresh all the time", async () => {
    const { view, told } = await freshWatch();
    const first = service.last;
    first.send(goodbye(2, 1_000));
    await pass(999);
    expect(first.isCut).toBe(true);
    expect(service.streams).toHaveLength(1);
    await pass(251);
    expect(service.streams).toHaveLength(2);
    expect(service.last.request.resumeToken).toBe("token-2");
    expect(view.isFresh()).toBe(true);
    expect(told).not.toHaveBeenCalled();
  });

  test("with a goodbye that asks for long is followed before the view grows stale", async () => {
    const { view } = await freshWatch();
    service.last.send(goodbye(2, 3_600_000));
    await pass(STALE_AFTER_MS / 2 + 250);
    expect(service.streams).toHaveLength(2);
    expect(view.isFresh()).toBe(true);
  });

  test("by a fault says why, and is forgiven by the next frame", async () => {
    const { view } = await freshWatch();
    service.last.fail(Code.Unavailable, "OVERLOADED");
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", problem: { reason: "OVERLOADED" } });
    await pass(250);
    expect(service.last.request.resumeToken).toBe("token-1");
    service.last.send(delta(2, {}));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", problem: null });
  });

  test("by the same fault again and again is told once", async () => {
    const { told } = await freshWatch();
    for (let failure = 0; failure < 5; failure++) await failAtOnce();
    expect(told).toHaveBeenCalledTimes(1);
  });

  test("without a goodbye is a fault", async () => {
    const { view } = await freshWatch();
    service.last.end();
    await settle();
    expect(view.view().problem).toMatchObject({ reason: "UNREACHABLE", retryable: true });
  });

  test("in the middle of a delta is resumed before it", async () => {
    const { view } = await freshWatch();
    service.last.send(delta(2, { closed: [aSlot(1)], more: true }));
    service.last.fail(Code.Unavailable);
    await pass(250);
    expect(service.last.request.resumeToken).toBe("token-1");
    service.last.send(delta(3, { closed: [aSlot(2)] }));
    await settle();
    expect(view.view().slots).toEqual(modelOf(aSlot(1)));
  });

  test("may be followed by one of a server whose clock is behind", async () => {
    const { view } = await freshWatch();
    service.last.send(goodbye(20));
    await pass(250);
    service.last.send(frame(21, { case: "delta", value: {} }, { asOfMs: asOfAt(-3600) }));
    await settle();
    expect(view.isFresh()).toBe(true);
  });

  test("at once, again and again, is asked for after pauses that grow to two seconds", async () => {
    await freshWatch();
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure++) pauses.push(await failAtOnce());
    expect(pauses[0]).toBeLessThanOrEqual(250);
    expect(pauses).toEqual([...pauses].sort((one, other) => one - other));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(1_000);
  });

  test("after it lasted is asked for again soon: its time was no failure", async () => {
    await freshWatch();
    for (let failure = 0; failure < 6; failure++) await failAtOnce();
    service.last.send(delta(2, {}));
    await pass(3_000);
    expect(await failAtOnce()).toBeLessThanOrEqual(250);
  });
});

describe("healing", () => {
  test("a stream that sends nothing is given up after three seconds, and asked for again", async () => {
    await freshWatch();
    service.last.end();
    while (service.streams.length < 2) await pass(1);
    const stuck = service.last;
    await pass(2_999);
    expect(stuck.isCut).toBe(false);
    await pass(1);
    expect(stuck.isCut).toBe(true);
    expect(service.streams).toHaveLength(3);
  });

  test("while it loads, a slow network is given more time, and never more than twelve seconds", async () => {
    watch();
    const asked: number[] = [];
    for (let stream = 1; stream <= 5; stream++) {
      const before = Date.now();
      while (service.streams.length <= stream) await pass(100);
      asked.push(Date.now() - before);
    }
    expect(asked.map((ms) => Math.round(ms / 1_000))).toEqual([3, 6, 12, 12, 12]);
  });

  test("a stream that falls silent is cut after stale_after, and another one asked for", async () => {
    const { view } = await freshWatch();
    const silent = service.last;
    await pass(STALE_AFTER_MS + 250);
    expect(silent.isCut).toBe(true);
    expect(view.view().problem).toMatchObject({ reason: "UNREACHABLE" });
    expect(service.last.request.resumeToken).toBe("token-1");
  });

  test.each(["refuses", "does not answer"])(
    "when the service, which %s for a minute, is back, the view is fresh within five seconds",
    async (how) => {
      const { view } = await freshWatch();
      let isBack = false;
      let seen = 0;
      const serve = () => {
        for (const stream of service.streams.slice(seen))
          if (isBack) stream.send(delta(70, {}));
          else if (how === "refuses") stream.fail(Code.Unavailable);
        seen = service.streams.length;
      };
      service.last.fail(Code.Unavailable);
      for (let ms = 0; ms < 60_000; ms += 50) {
        await pass(50);
        serve();
      }
      expect(view.view().freshness).toBe("stale");
      isBack = true;
      let healsMs = 0;
      for (; !view.isFresh() && healsMs < HEALS_MS; healsMs += 50) {
        await pass(50);
        serve();
      }
      expect(view.view().freshness).toBe("fresh");
      expect(healsMs).toBeLessThan(HEALS_MS);
    },
  );

  test.each([
    ["online", () => tell(window, "online")],
    ["pageshow", () => tell(window, "pageshow")],
    ["resume", () => tell(document, "resume")],
    ["visibilitychange", () => show("visible")],
  ])("on %s a pause ends at once", async (_, event) => {
    await freshWatch();
    for (let failure = 0; failure < 5; failure++) await failAtOnce();
    const { length } = service.streams;
    service.last.fail(Code.Unavailable);
    await settle();
    expect(service.streams).toHaveLength(length);
    event();
    await settle();
    expect(service.streams).toHaveLength(length + 1);
    expect(await failAtOnce()).toBeLessThanOrEqual(250);
  });

  test("a tab that nobody looks at lets go of its stream after a while, and resumes when it is seen", async () => {
    const { view } = await freshWatch();
    const old = service.last;
    show("hidden");
    await pass(4_000);
    expect(old.isCut).toBe(false);
    await pass(2_000);
    expect(old.isCut).toBe(true);
    const { length } = service.streams;
    await pass(20_000);
    expect(service.streams).toHaveLength(length);
    expect(view.isFresh()).toBe(false);
    show("visible");
    await settle();
    expect(service.streams).toHaveLength(length + 1);
    expect(service.last.request.resumeToken).not.toBe("");
  });

  test("a tab that is seen again soon keeps its stream", async () => {
    await freshWatch();
    const old = service.last;
    show("hidden");
    await pass(1_000);
    show("visible");
    await pass(6_000);
    expect(old.isCut).toBe(false);
  });

  test("on waking up a stale view says so and leaves its stream, though it may look alive", async () => {
    const { view, told } = await freshWatch();
    const old = service.last;
    sleep(60_000);
    show("visible");
    expect(told).toHaveBeenCalledTimes(1);
    expect(view.view().freshness).toBe("stale");
    await settle();
    expect(old.isCut).toBe(true);
    expect(service.streams).toHaveLength(2);
    expect(service.last.request.resumeToken).toBe("token-1");
  });

  test("several events of one waking make one stream", async () => {
    await freshWatch();
    sleep(60_000);
    tell(document, "resume");
    await settle();
    tell(window, "pageshow");
    tell(window, "online");
    show("visible");
    await settle();
    expect(service.streams).toHaveLength(2);
  });

  test("a fresh view, and a tab that is hidden, wake nothing", async () => {
    await freshWatch();
    show("visible");
    sleep(60_000);
    show("hidden");
    await settle();
    expect(service.streams).toHaveLength(1);
  });

  test("after offline, online heals at once", async () => {
    const { view } = await freshWatch();
    tell(window, "offline");
    await settle();
    tell(window, "online");
    await settle();
    service.last.send(delta(2, {}));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", problem: null });
  });
});

describe("a view that differs from the server's", () => {
  test("by a heartbeat's count is stale, and watched anew without a token", async () => {
    const { view } = await freshWatch();
    service.last.send(heartbeat(2, [aSlot(1)]));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "stale", problem: null });
    await pass(250);
    expect(service.last.request.resumeToken).toBe("");
    service.last.send(...snapshot(2, [aSlot(1)]));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", slots: modelOf(aSlot(1)) });
  });

  test("by a heartbeat's digest is watched anew without a token", async () => {
    await freshWatch();
    const stream = service.last;
    stream.send(heartbeat(2, TWO_SLOTS, 42n));
    await settle();
    await until(() => stream.isCut);
    await pass(250);
    expect(service.streams).toHaveLength(2);
    expect(service.last.request.resumeToken).toBe("");
  });

  test("by a digest, but has changed since, waits for the next heartbeat", async () => {
    const { view } = await freshWatch();
    const digest = vi.spyOn(crypto.subtle, "digest");
    service.last.send(heartbeat(2, TWO_SLOTS, 42n), delta(3, { closed: [aSlot(1)] }));
    await settle();
    await Promise.all(digest.mock.results.map((result) => result.value));
    await settle();
    expect(service.streams).toHaveLength(1);
    expect(view.view()).toMatchObject({ freshness: "fresh", slots: modelOf(aSlot(2)) });
  });

  test("no frame waits for a digest, and no digest is begun before the last one is there", async () => {
    const { view } = await freshWatch();
    const digest = vi.spyOn(crypto.subtle, "digest").mockReturnValue(new Promise(() => undefined));
    const beat = heartbeat(2, TWO_SLOTS);
    service.last.send(beat, beat, beat, delta(3, { closed: [aSlot(1)] }));
    await settle();
    expect(view.view().slots).toEqual(modelOf(aSlot(2)));
    expect(digest).toHaveBeenCalledTimes(TWO_SLOTS.length);
  });
});

describe("giving up", () => {
  test.each([
    [Code.Unauthenticated, "KEY_INVALID"],
    [Code.PermissionDenied, "SCOPE_MISSING"],
    [Code.NotFound, "RESOURCE_NOT_FOUND"],
    [Code.InvalidArgument, ""],
  ])("a lasting refusal (%s %s) ends the watch, and nothing is offered", async (code, reason) => {
    const { view, told } = await freshWatch();
    service.last.fail(code, reason);
    await settle();
    expect(told).toHaveBeenCalledTimes(1);
    expect(view.view()).toMatchObject({ freshness: "stale", gaveUp: true });
    if (reason) expect(view.view().problem?.reason).toBe(reason);
    tell(window, "online");
    await pass(60_000);
    expect(service.streams).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [Code.Internal, "INTERNAL"],
    [Code.ResourceExhausted, "RATE_LIMITED"],
    [Code.Unavailable, "REVISION_AHEAD"],
    [Code.Unknown, ""],
  ])("a fault that may be over soon (%s %s) does not", async (code, reason) => {
    const { view } = await freshWatch();
    service.last.fail(code, reason);
    await pass(250);
    expect(view.view().gaveUp).toBe(false);
    expect(service.streams).toHaveLength(2);
  });

  test("a token that the service does not take is dropped, and the watch goes on", async () => {
    const { view } = await freshWatch();
    service.last.end();
    await pass(250);
    service.last.fail(Code.InvalidArgument, "INVALID_RESUME_TOKEN");
    await pass(500);
    expect(service.last.request.resumeToken).toBe("");
    service.last.send(...snapshot(3, [aSlot(3)]));
    await settle();
    expect(view.view()).toMatchObject({ freshness: "fresh", gaveUp: false });
  });
});

describe("closing", () => {
  test.each(["reading", "pausing", "unanswered"])(
    "while %s ends the stream, the timers and the telling",
    async (when) => {
      const added = [vi.spyOn(window, "addEventListener"), vi.spyOn(document, "addEventListener")];
      const { view, told } = await freshWatch();
      if (when !== "reading") service.last.end();
      if (when === "unanswered") await pass(250);
      await settle();
      told.mockClear();
      view.close();
      await settle();
      expect(service.last.isCut || when === "pausing").toBe(true);
      expect(vi.getTimerCount()).toBe(0);
      expect(view.isFresh()).toBe(false);
      const signals = added.flatMap((spy) =>
        spy.mock.calls.map(([, , options]) => signalOf(options)),
      );
      expect(signals).toHaveLength(5);
      expect(signals.every((signal) => signal?.aborted)).toBe(true);
      const { length } = service.streams;
      await pass(60_000);
      expect(service.streams).toHaveLength(length);
      expect(told).not.toHaveBeenCalled();
    },
  );
});
