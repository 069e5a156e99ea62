import fc from "fast-check";
import { expect, test } from "vitest";
import { type BookingEvent, FIRST, next } from "../../src/booking/flow.js";
import type { BookingState } from "../../src/booking/state.js";
import { aProblem, aSlot, SLOT } from "./desk.js";

const HOLD = { name: "holds/1", slot: SLOT, expire: new Date(0) };
const BOOKING = {
  name: "bookings/1",
  appointmentType: SLOT.appointmentType,
  calendars: [SLOT.calendar],
  start: SLOT.start,
  end: SLOT.end,
  status: "confirmed" as const,
};
const REASONS = [
  "SLOT_TAKEN",
  "HOLD_ENDED",
  "HOLD_LIFETIME_REACHED",
  "TOO_MANY_HOLDS",
  "UNREACHABLE",
  "OVERLOADED",
  "TRY_AGAIN",
  "INTERNAL",
  "INVALID_REQUEST",
];

const problem = fc
  .constantFrom(...REASONS)
  .map((reason) => aProblem(reason, { alternatives: reason === "SLOT_TAKEN" ? [aSlot(10)] : [] }));
const event: fc.Arbitrary<BookingEvent> = fc.oneof(
  fc.constant<BookingEvent>({ is: "chosen", slot: SLOT }),
  fc.constant<BookingEvent>({ is: "held", hold: HOLD }),
  fc.constant<BookingEvent>({ is: "renewing" }),
  fc.constant<BookingEvent>({ is: "renewed", hold: HOLD }),
  fc.constant<BookingEvent>({ is: "expired" }),
  fc.constant<BookingEvent>({ is: "sent" }),
  fc.constant<BookingEvent>({ is: "booked", booking: BOOKING }),
  fc.constant<BookingEvent>({ is: "left" }),
  problem.map((each): BookingEvent => ({ is: "notHeld", problem: each })),
  problem.map((each): BookingEvent => ({ is: "notRenewed", problem: each })),
  problem.map((each): BookingEvent => ({ is: "notBooked", problem: each })),
);

function afterAll(
  events: readonly BookingEvent[],
  look: (before: BookingState, event: BookingEvent, after: BookingState) => void,
): void {
  let state: BookingState = FIRST;
  for (const each of events) {
    const after = next(state, each);
    look(state, each, after);
    state = after;
  }
}

test("whatever happens, only a booking is done, and it stays so until the visitor goes on", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      afterAll(events, (before, { is }, after) => {
        if (before.step === "done" && is !== "left") expect(after).toBe(before);
        if (before.step !== "done" && after.step === "done") expect(is).toBe("booked");
      });
    }),
  );
});

test("whatever happens, a form whose answer is awaited is not called expired", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      afterAll(events, (before, { is }, after) => {
        if (is === "expired" && before.step === "details" && before.sending !== "no")
          expect(after).toBe(before);
      });
    }),
  );
});

test("whatever happens, what is lost has a reason, and nothing is being held then", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      afterAll(events, (_, __, after) => {
        if (after.step === "time" && after.lost) {
          expect(after.lost.reason).toBe("SLOT_TAKEN");
          expect(after.holding).toBeNull();
        }
      });
    }),
  );
});

test.each([
  ["UNREACHABLE", "unknown"],
  ["TRY_AGAIN", "unknown"],
  ["INTERNAL", "unknown"],
  ["OVERLOADED", "no"],
  ["INVALID_REQUEST", "no"],
])("after %s, whether it is booked is: %s", (reason, sending) => {
  const form = next(next(FIRST, { is: "chosen", slot: SLOT }), { is: "held", hold: HOLD });
  const refused = next(next(form, { is: "sent" }), { is: "notBooked", problem: aProblem(reason) });
  expect(refused).toMatchObject({ step: "details", sending, problem: { reason } });
});
