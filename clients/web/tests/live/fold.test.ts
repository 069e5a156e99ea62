/** Folding frames: however they are split, merged or resumed, the slots are those of the server. */
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Slot } from "../../src/api/model.js";
import {
  Reset_Reason,
  type WatchAvailabilityResponse,
} from "../../src/gen/slotcast/v1/availability_service_pb.js";
import { type Slot as SlotProto, SlotSchema } from "../../src/gen/slotcast/v1/core_pb.js";
import {
  beginStream,
  fold,
  forget,
  NOTHING,
  type OpenSlots,
  ViewMismatch,
} from "../../src/live/fold.js";
import {
  aSlot,
  asOfAt,
  type Changes,
  chunks,
  delta,
  frame,
  goodbye,
  heartbeat,
  modelOf,
  reset,
  snapshot,
  snapshotEnd,
  span,
} from "./frames.js";

function folded(from: OpenSlots, ...frames: WatchAvailabilityResponse[]): OpenSlots {
  return frames.reduce((open, each) => fold(open, each).open, from);
}

const TWO_SLOTS = [aSlot(1), aSlot(2)];

describe("a snapshot", () => {
  test("is shown when it has ended, and not before", () => {
    const before = folded(NOTHING, ...chunks(3, TWO_SLOTS, 1));
    expect(before).toMatchObject({ whole: false, slots: [], resumeToken: "" });
    const { open, complete } = fold(before, snapshotEnd(3, 2));
    expect(complete).toBe(true);
    expect(open.slots).toEqual(modelOf(...TWO_SLOTS));
    expect(open).toMatchObject({ whole: true, revision: 3n, resumeToken: "token-3" });
    expect(open.asOfMs).toBe(asOfAt(3));
  });

  test("of nothing is a whole view", () => {
    expect(folded(NOTHING, ...snapshot(3, []))).toMatchObject({ whole: true, slots: [] });
  });

  test("with a slot missing is refused", () => {
    const frames = [...chunks(3, [aSlot(1)]), snapshotEnd(3, 2)];
    expect(() => folded(NOTHING, ...frames)).toThrow(ViewMismatch);
  });

  test("that a stream left unfinished is dropped with it", () => {
    const next = beginStream(folded(NOTHING, ...chunks(3, [aSlot(7)])));
    expect(folded(next, ...snapshot(4, TWO_SLOTS)).slots).toEqual(modelOf(...TWO_SLOTS));
  });

  test("that follows another one replaces it", () => {
    const frames = [...snapshot(3, TWO_SLOTS), ...snapshot(4, [aSlot(3)])];
    expect(folded(NOTHING, ...frames).slots).toEqual(modelOf(aSlot(3)));
  });

  test("that comes again keeps the slots that are the same, and their order by start", () => {
    const before = folded(NOTHING, ...snapshot(3, TWO_SLOTS));
    const after = folded(forget(before), ...snapshot(4, [aSlot(2), aSlot(0)]));
    expect(after.slots).toEqual(modelOf(aSlot(0), aSlot(2)));
    expect(after.slots[1]).toBe(before.slots[1]);
  });
});

describe("a delta", () => {
  const whole = folded(NOTHING, ...snapshot(1, TWO_SLOTS));

  test("clears, then closes, then opens, whichever part says it", () => {
    const all = { appointmentType: "", calendar: "", ...span(0, 20) };
    const open = folded(
      whole,
      delta(2, { opened: [aSlot(2, { seats: 3 })], more: true }),
      delta(2, { cleared: [all], closed: [aSlot(2)] }),
    );
    expect(open.slots).toEqual(modelOf(aSlot(2, { seats: 3 })));
  });

  test("shows no part before its last", () => {
    const { open, complete } = fold(whole, delta(2, { closed: [aSlot(1)], more: true }));
    expect(complete).toBe(false);
    expect(open.slots).toBe(whole.slots);
    expect(open).toMatchObject({ revision: 1n, resumeToken: "token-1" });
  });

  test("clears only what a span names: its time without its end, its type, its calendar", () => {
    const slots = [aSlot(1), aSlot(2), aSlot(3), aSlot(2, { calendar: "bert" })];
    const cleared = [
      { ...span(2), calendar: "businesses/salon/calendars/anna" },
      { ...span(0, 9), appointmentType: "businesses/salon/appointmentTypes/colour" },
    ];
    const open = folded(NOTHING, ...snapshot(1, slots), delta(2, { cleared }));
    expect(open.slots).toEqual(modelOf(aSlot(1), aSlot(2, { calendar: "bert" }), aSlot(3)));
  });

  test("leaves the view it was folded into as it was", () => {
    folded(whole, delta(2, { closed: [aSlot(1)], opened: [aSlot(5)] }));
    expect(whole.slots).toEqual(modelOf(...TWO_SLOTS));
    expect([...whole.byKey.values()]).toEqual(modelOf(...TWO_SLOTS));
  });

  test("before any snapshot is refused", () => {
    expect(() => folded(NOTHING, delta(1, {}))).toThrow(ViewMismatch);
  });

  test("that is interrupted by another frame is refused", () => {
    const part = delta(2, { closed: [aSlot(1)], more: true });
    expect(() => folded(whole, part, heartbeat(2, TWO_SLOTS))).toThrow(ViewMismatch);
    expect(() => folded(whole, part, ...snapshot(2, TWO_SLOTS))).toThrow(ViewMismatch);
  });

  test("that is cut by a goodbye resumes where it began", () => {
    const open = folded(whole, delta(2, { closed: [aSlot(1)], more: true }), goodbye(2));
    expect(open.resumeToken).toBe("token-1");
    const after = folded(beginStream(open), delta(3, { closed: [aSlot(2)] }));
    expect(after.slots).toEqual(modelOf(aSlot(1)));
  });
});

describe("identity", () => {
  const whole = folded(NOTHING, ...snapshot(1, TWO_SLOTS));

  test("is kept by all frames that change no slot", () => {
    const same = [
      heartbeat(2, TWO_SLOTS),
      delta(3, {}),
      delta(4, { opened: [aSlot(1)] }),
      delta(5, { cleared: [span(1)], opened: [aSlot(1)] }),
      delta(6, { closed: [aSlot(9)] }),
      ...snapshot(7, TWO_SLOTS),
      goodbye(8),
    ];
    const views = same.map((_, at) => folded(whole, ...same.slice(0, at + 1)));
    for (const view of views) expect(view.slots).toBe(whole.slots);
    expect(views.at(-1)).toMatchObject({ revision: 8n, resumeToken: "token-8" });
  });

  test("of the list changes when only the seats of a slot do, and that of the others stays", () => {
    const open = folded(whole, delta(2, { opened: [aSlot(1, { seats: 4 })] }));
    expect(open.slots).not.toBe(whole.slots);
    expect(open.slots[0]?.seatsLeft).toBe(4);
    expect(open.slots[1]).toBe(whole.slots[1]);
  });
});

describe("what cannot be right, or is not known", () => {
  const whole = folded(NOTHING, ...snapshot(5, TWO_SLOTS));

  test("a heartbeat that counts other slots is refused", () => {
    expect(() => folded(whole, heartbeat(6, [aSlot(1)]))).toThrow(ViewMismatch);
  });

  test("a heartbeat before the snapshot makes nothing whole", () => {
    expect(fold(NOTHING, heartbeat(6, [])).complete).toBe(false);
  });

  test("a frame of an older revision is refused, also after a reset that is no new life", () => {
    expect(() => folded(whole, heartbeat(4, TWO_SLOTS))).toThrow(ViewMismatch);
    const after = folded(whole, reset(5, Reset_Reason.CATALOG));
    expect(() => folded(after, ...snapshot(4, TWO_SLOTS))).toThrow(ViewMismatch);
  });

  test("a business that was made anew counts anew", () => {
    const open = folded(whole, reset(1, Reset_Reason.EPOCH), ...snapshot(1, [aSlot(3)]));
    expect(open).toMatchObject({ whole: true, revision: 1n });
    expect(open.slots).toEqual(modelOf(aSlot(3)));
  });

  test("a reset makes the slots unknown and drops the token; they may still be looked at", () => {
    const open = folded(whole, reset(6));
    expect(open).toMatchObject({ whole: false, resumeToken: "", revision: 5n });
    expect(open.slots).toBe(whole.slots);
  });

  test("a frame without a token leaves the one before", () => {
    const beat = frame(6, heartbeat(6, TWO_SLOTS).frame, { token: "" });
    expect(folded(whole, beat)).toMatchObject({ revision: 6n, resumeToken: "token-5" });
  });

  test("a frame of an unknown kind changes nothing, not even a delta that goes on", () => {
    const half = folded(whole, delta(6, { closed: [aSlot(1)], more: true }));
    const unknown = frame(1, undefined);
    expect(fold(half, unknown)).toEqual({ open: half, complete: false });
  });
});

type State = ReadonlyMap<SlotProto, number>;

const ALL_SLOTS = ["anna", "bert"].flatMap((calendar) =>
  Array.from({ length: 8 }, (_, number) => aSlot(number, { calendar })),
);
const states = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ALL_SLOTS), fc.integer({ min: 1, max: 3 })), {
    selector: ([slot]) => slot,
    maxLength: 12,
  })
  .map((entries): State => new Map(entries));

function protosOf(state: State): SlotProto[] {
  return ALL_SLOTS.filter((slot) => state.has(slot)).map((slot) =>
    create(SlotSchema, { ...slot, seatsLeft: state.get(slot) ?? 0 }),
  );
}

function seatsOf(slots: readonly { key: string; seatsLeft: number }[]) {
  return new Map(slots.map((slot) => [slot.key, slot.seatsLeft]));
}

const timesToClear = () => fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 2 });

/** What a server sends that last told `before`; it may clear some times first. */
function changesBetween(draw: fc.GeneratorValue, before: State, after: State): Required<Changes> {
  const numbers = draw(timesToClear);
  const isCleared = (slot: SlotProto) =>
    numbers.some((number) => aSlot(number).startTime?.seconds === slot.startTime?.seconds);
  const kept = new Map([...before].filter(([slot]) => !isCleared(slot)));
  return {
    cleared: numbers.map((number) => span(number)),
    closed: [...kept.keys()].filter((slot) => !after.has(slot)),
    opened: protosOf(new Map([...after].filter(([slot, seats]) => kept.get(slot) !== seats))),
    more: false,
  };
}

/** One delta, its content dealt out to a few parts in any manner. */
function partsOf(draw: fc.GeneratorValue, revision: number, changes: Required<Changes>) {
  const count = draw(fc.integer, { min: 1, max: 4 });
  const deal = <Item>(items: Item[]) =>
    items.map((item) => ({ item, to: draw(fc.integer, { min: 0, max: count - 1 }) }));
  const cleared = deal(changes.cleared);
  const closed = deal(changes.closed);
  const opened = deal(changes.opened);
  const dealtTo = <Item>(dealt: { item: Item; to: number }[], at: number) =>
    dealt.filter(({ to }) => to === at).map(({ item }) => item);
  return Array.from({ length: count }, (_, at) =>
    delta(revision, {
      cleared: dealtTo(cleared, at),
      closed: dealtTo(closed, at),
      opened: dealtTo(opened, at),
      more: at < count - 1,
    }),
  );
}

/** A snapshot, or a delta from what was told before where there is something. */
function framesTo(
  draw: fc.GeneratorValue,
  revision: number,
  told: State | null,
  state: State,
): WatchAvailabilityResponse[] {
  const isDelta = told && draw(fc.integer, { min: 0, max: 3 }) > 0;
  if (isDelta) return partsOf(draw, revision, changesBetween(draw, told, state));
  const whole = snapshot(revision, protosOf(state), draw(fc.integer, { min: 1, max: 12 }));
  return told ? [reset(revision), ...whole] : whole;
}

function byStart(slots: readonly Slot[]): Date[] {
  return slots.map((slot) => slot.start).sort((one, other) => one.getTime() - other.getTime());
}

test("however a history is cut into snapshots, deltas and resumed streams, the slots are the truth", () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 1, maxLength: 6 }), fc.gen(), (history, draw) => {
      let view = NOTHING;
      let told: State | null = null;
      for (const [at, state] of history.entries()) {
        const revision = at + 1;
        if (draw(fc.boolean)) {
          const sent = framesTo(draw, revision, told, state);
          const kept = draw(fc.integer, { min: 0, max: sent.length - 1 });
          view = beginStream(folded(view, ...sent.slice(0, kept)));
          if (!view.whole) told = null;
        }
        for (const each of framesTo(draw, revision, told, state)) {
          const shown = view.slots;
          const { open, complete } = fold(view, each);
          view = open;
          if (!complete) expect(view.slots).toBe(shown);
        }
        told = state;
        const truth = modelOf(...protosOf(state));
        expect(seatsOf(view.slots)).toEqual(seatsOf(truth));
        expect(view.slots.map((slot) => slot.start)).toEqual(byStart(truth));
        expect(fold(view, heartbeat(revision, protosOf(state))).complete).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
