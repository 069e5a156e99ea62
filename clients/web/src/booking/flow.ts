/** What each event makes of a booking. Pure: no calls, no clock. */
import type { Booking, Hold, Slot } from "../api/model.js";
import type { Problem } from "../api/problem.js";
import type { BookingState, ChoosingTime, GivingDetails, TakingOver } from "./state.js";

export type BookingEvent =
  | { readonly is: "redeeming" }
  | { readonly is: "notRedeemed"; readonly problem: Problem }
  | { readonly is: "chosen"; readonly slot: Slot }
  | { readonly is: "held"; readonly hold: Hold }
  | { readonly is: "notHeld"; readonly problem: Problem }
  | { readonly is: "renewing" }
  | { readonly is: "renewed"; readonly hold: Hold }
  | { readonly is: "notRenewed"; readonly problem: Problem }
  | { readonly is: "expired" }
  | { readonly is: "sent" }
  | { readonly is: "booked"; readonly booking: Booking }
  | { readonly is: "notBooked"; readonly problem: Problem }
  | { readonly is: "left" };

export const FIRST: ChoosingTime = {
  step: "time",
  holding: null,
  lost: null,
  problem: null,
  refused: null,
};

/** Of these reasons: the slot cannot be had any more, and there may be others instead. */
export const SLOT_LOST: ReadonlySet<string> = new Set([
  "SLOT_TAKEN",
  "SLOT_CLOSED",
  "SLOT_OFF_GRID",
  "NOTICE_TOO_SHORT",
  "BEYOND_HORIZON",
  "CAP_REACHED",
]);

/** The state after an event; the same one where the event comes too late to matter. */
export function next(state: BookingState, event: BookingEvent): BookingState {
  if (event.is === "left") return FIRST;
  switch (state.step) {
    case "ticket":
      return takingOver(state, event);
    case "time":
      return choosing(state, event);
    case "details":
      return giving(state, event);
    case "done":
      return state;
  }
}

function takingOver(state: TakingOver, event: BookingEvent): BookingState {
  switch (event.is) {
    case "redeeming":
      return { step: "ticket", problem: null };
    case "held":
      return holding(event.hold);
    case "notRedeemed":
      return event.problem.retryable
        ? { step: "ticket", problem: event.problem }
        : { ...FIRST, refused: event.problem };
    default:
      return state;
  }
}

function holding(hold: Hold): GivingDetails {
  return { step: "details", hold, holding: "held", sending: "no", problem: null };
}

function choosing(state: ChoosingTime, event: BookingEvent): BookingState {
  switch (event.is) {
    case "chosen":
      return { ...FIRST, holding: event.slot };
    case "redeeming":
      return { step: "ticket", problem: null };
    case "held":
      return holding(event.hold);
    case "notHeld":
      return state.holding && SLOT_LOST.has(event.problem.reason)
        ? lost(state.holding, event.problem)
        : { ...FIRST, problem: event.problem };
    default:
      return state;
  }
}

function giving(state: GivingDetails, event: BookingEvent): BookingState {
  switch (event.is) {
    case "renewing":
      return state.holding === "expired" ? { ...state, holding: "renewing", problem: null } : state;
    case "renewed":
    case "held":
      return { ...state, hold: event.hold, holding: "held", problem: null };
    case "notRenewed":
      return notRenewed(state, event.problem);
    case "expired":
      return state.sending === "no" ? { ...state, holding: "expired" } : state;
    case "sent":
      return { ...state, sending: "sending", problem: null };
    case "booked":
      return { step: "done", booking: event.booking };
    case "notBooked":
      return notBooked(state, event.problem);
    default:
      return state;
  }
}

function notRenewed(state: GivingDetails, problem: Problem): BookingState {
  if (SLOT_LOST.has(problem.reason)) return lost(state.hold.slot, problem);
  if (problem.reason === "HOLD_LIFETIME_REACHED" && state.holding !== "renewing")
    return { ...state, holding: "last" };
  if (state.holding === "renewing") return { ...state, holding: "expired", problem };
  // It still holds until it expires; typing on asks again.
  return state;
}

function notBooked(state: GivingDetails, problem: Problem): BookingState {
  if (SLOT_LOST.has(problem.reason)) return lost(state.hold.slot, problem);
  if (problem.reason === "HOLD_ENDED")
    return { ...state, holding: "expired", sending: "no", problem: null };
  return { ...state, sending: problem.mayBeDone ? "unknown" : "no", problem };
}

function lost(slot: Slot, { reason, alternatives }: Problem): ChoosingTime {
  return { ...FIRST, lost: { slot, reason, alternatives } };
}
