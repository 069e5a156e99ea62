import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Event, FIRST, next, type View } from "../../pages/manage/flow.js";
import { aProblem, aSlot, SLOT } from "../booking/desk.js";
import { BOOKING, CATALOG, ENTRY } from "./salon.js";

const LOADED: Event = { is: "loaded", catalog: CATALOG, booking: BOOKING };
const OFFERED: Event = { is: "loadedOffer", catalog: CATALOG, entry: ENTRY };
const WAITING: Event = { is: "loadedOffer", catalog: CATALOG, entry: { ...ENTRY, offer: null } };
const CHOSEN: Event = { is: "chosen", slot: SLOT, isAnyone: false };
const viewAfter = (...events: Event[]): View => events.reduce(next, FIRST);
const refused = (reason: string, metadata: Record<string, string> = {}): Event => ({
  is: "refused",
  problem: aProblem(reason, { metadata }),
});
const screenOf = (view: View) => ("screen" in view ? view.screen : null);

describe("a booking", () => {
  test("is moved to the time that was chosen, after a question", () => {
    const asked = viewAfter(LOADED, { is: "wantsTimes" }, CHOSEN);
    expect(screenOf(asked)).toMatchObject({ at: "move", slot: SLOT, sending: "no" });

    const moved = { ...BOOKING, version: 2n, start: aSlot(15).start };
    const view = next(next(asked, { is: "sent" }), { is: "moved", booking: moved });
    expect(view).toMatchObject({ booking: moved, screen: { at: "look", isMoved: true } });
  });

  test("whose new time was taken goes back to the times, with others instead", () => {
    const sent = viewAfter(LOADED, { is: "wantsTimes" }, CHOSEN, { is: "sent" });
    const alternatives = [aSlot(10)];
    const problem = aProblem("SLOT_TAKEN", { alternatives });
    expect(screenOf(next(sent, { is: "refused", problem }))).toEqual({
      at: "times",
      lost: { slot: SLOT, reason: "SLOT_TAKEN", alternatives },
    });
  });

  test("that is cancelled is done, and stays so", () => {
    const done = viewAfter(
      LOADED,
      { is: "wantsToCancel" },
      { is: "sent" },
      { is: "ended", what: "cancelled", booking: BOOKING },
    );
    expect(done).toMatchObject({ is: "done", what: "cancelled" });
    expect(next(done, { is: "refreshed", booking: BOOKING })).toBe(done);
    expect(next(done, { is: "back" })).toBe(done);
  });

  test("whose answer did not come can only be sent again as it was", () => {
    const unknown = viewAfter(
      LOADED,
      { is: "wantsToCancel" },
      { is: "sent" },
      refused("UNREACHABLE"),
    );
    expect(screenOf(unknown)).toMatchObject({ at: "cancel", sending: "unknown" });
    expect(screenOf(next(unknown, { is: "back" }))).toMatchObject({ at: "cancel" });
  });

  test("whose notice has passed is looked at again", () => {
    const sent = viewAfter(LOADED, { is: "wantsToCancel" }, { is: "sent" });
    expect(screenOf(next(sent, refused("CANCELLATION_NOTICE_PASSED")))).toMatchObject({
      at: "look",
      problem: { reason: "CANCELLATION_NOTICE_PASSED" },
    });
  });

  test("that was changed elsewhere is shown as it is now, and why it is", () => {
    const changed = { ...BOOKING, version: 2n };
    const mismatch = viewAfter(
      LOADED,
      { is: "wantsToCancel" },
      { is: "sent" },
      refused("VERSION_MISMATCH"),
    );
    expect(next(mismatch, { is: "refreshed", booking: changed })).toMatchObject({
      booking: { version: 2n },
      screen: { at: "look", problem: { reason: "VERSION_MISMATCH" } },
    });
  });

  test("is not taken away while something is under way", () => {
    const sent = viewAfter(LOADED, { is: "wantsToCancel" }, { is: "sent" });
    const changed = { ...BOOKING, version: 2n };
    expect(next(sent, { is: "refreshed", booking: changed })).toMatchObject({
      booking: BOOKING,
      screen: { at: "cancel", sending: "sending" },
    });
  });

  test("that cannot be asked for again is marked, until it can", () => {
    const problem = aProblem("UNREACHABLE");
    const stale = viewAfter(LOADED, { is: "notRefreshed", problem });
    expect(stale).toMatchObject({ is: "booking", isStale: true });
    expect(next(stale, { is: "refreshed", booking: BOOKING })).toMatchObject({ isStale: false });
    expect(viewAfter(LOADED, { is: "offline" })).toMatchObject({ isStale: true });
  });

  test("that a network keeps back at first can be asked for again", () => {
    const problem = aProblem("UNREACHABLE");
    expect(viewAfter({ is: "notLoaded", problem })).toEqual({ is: "failed", problem });
    expect(viewAfter({ is: "notLoaded", problem }, { is: "loading" })).toEqual({ is: "loading" });
  });
});

describe("an offer", () => {
  test("that is taken is done", () => {
    const done = viewAfter(
      OFFERED,
      { is: "sent" },
      { is: "ended", what: "taken", booking: BOOKING },
    );
    expect(done).toMatchObject({ is: "done", what: "taken" });
  });

  test("that is declined leads to the end of the link", () => {
    const left = viewAfter(OFFERED, { is: "wantsToDecline" }, { is: "sent" }, { is: "left" });
    expect(left).toEqual({ is: "gone", status: "LEFT" });
  });

  test.each(["HOLD_ENDED", "SLOT_TAKEN"])("that is another's by now is told so: %s", (reason) => {
    expect(viewAfter(OFFERED, { is: "sent" }, refused(reason))).toEqual({
      is: "gone",
      status: "LAPSED",
    });
  });

  test("that comes while one asks to leave is shown first, as is that it was passed on", () => {
    const waits = { ...ENTRY, offer: null };
    const asks = [WAITING, { is: "wantsToDecline" }] as const;
    expect(viewAfter(...asks)).toMatchObject({ is: "offer", screen: { at: "decline" } });
    expect(viewAfter(...asks, { is: "refreshedOffer", entry: waits })).toMatchObject({
      screen: { at: "decline" },
    });
    expect(viewAfter(...asks, { is: "refreshedOffer", entry: ENTRY })).toMatchObject({
      entry: ENTRY,
      screen: { at: "offer" },
    });
    const passedOn = viewAfter(OFFERED, { is: "refreshedOffer", entry: waits });
    expect(passedOn).toMatchObject({ is: "offer", entry: waits, screen: { at: "offer" } });
  });

  test("that has ended meanwhile says how", () => {
    expect(
      viewAfter(OFFERED, { is: "sent" }, refused("WAITING_ENDED", { status: "LEFT" })),
    ).toEqual({
      is: "gone",
      status: "LEFT",
    });
  });
});

describe("a link", () => {
  const ended = aProblem("CAPABILITY_ENDED", { metadata: { status: "CANCELLED" } });

  test.each<[string, Event[]]>([
    ["before anything is shown", [{ is: "notLoaded", problem: ended }]],
    ["while one looks", [LOADED, { is: "notRefreshed", problem: ended }]],
    ["while one moves", [LOADED, { is: "wantsTimes" }, CHOSEN, { is: "refused", problem: ended }]],
    ["of an offer", [OFFERED, { is: "refused", problem: ended }]],
  ])("that has ended leads nowhere else: %s", (_, events) => {
    expect(viewAfter(...events)).toEqual({ is: "gone", status: "CANCELLED" });
  });

  test.each(["KEY_INVALID", "RESOURCE_NOT_FOUND", "SCOPE_MISSING"])(
    "that the service does not know is told so: %s",
    (reason) => {
      expect(viewAfter({ is: "notLoaded", problem: aProblem(reason) })).toEqual({ is: "unknown" });
    },
  );
});

const REASONS = ["SLOT_TAKEN", "UNREACHABLE", "VERSION_MISMATCH", "OVERLOADED", "HOLD_ENDED"];
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>(
    LOADED,
    CHOSEN,
    { is: "wantsTimes" },
    { is: "wantsToCancel" },
    { is: "back" },
    { is: "sent" },
    { is: "offline" },
    { is: "refreshed", booking: BOOKING },
    { is: "refreshed", booking: { ...BOOKING, version: 2n } },
  ),
  fc.constantFrom(...REASONS).map((reason) => refused(reason)),
);

test("whatever happens, what was sent is answered or sent again before one goes elsewhere", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      let view = viewAfter(LOADED);
      for (const event of events.filter(({ is }) => is !== "loaded")) {
        const before = screenOf(view);
        view = next(view, event);
        const isOpen = before && "sending" in before && before.sending !== "no";
        const isLeft = screenOf(view)?.at !== before?.at;
        if (isOpen && isLeft) expect(event.is).toBe("refused");
      }
    }),
  );
});
