import type { Booking, Hold, Slot } from "../api/model.js";
import type { Problem } from "../api/problem.js";

/** Where a booking is, from choosing a time to having it. */
export type BookingState = TakingOver | ChoosingTime | GivingDetails | Done;

/** What was held in a chat is being taken over. */
export interface TakingOver {
  readonly step: "ticket";
  /** Why there is no answer yet; the same may be asked again. */
  readonly problem: Problem | null;
}

export interface ChoosingTime {
  readonly step: "time";
  /** Being held: the answer is awaited. */
  readonly holding: Slot | null;
  /** What was chosen and is gone. */
  readonly lost: LostSlot | null;
  /** What else went wrong. */
  readonly problem: Problem | null;
  /** Why the ticket with which one came was refused. */
  readonly refused: Problem | null;
}

export interface LostSlot {
  readonly slot: Slot;
  readonly reason: string;
  readonly alternatives: readonly Slot[];
}

export interface GivingDetails {
  readonly step: "details";
  readonly hold: Hold;
  /** `last`: it cannot be renewed any more. `expired`: it may be held again, if nobody has taken it. */
  readonly holding: "held" | "last" | "expired" | "renewing";
  /** `unknown`: it was sent, and whether it is booked is not known; only the same may be sent again. */
  readonly sending: "no" | "sending" | "unknown";
  readonly problem: Problem | null;
}

export interface Done {
  readonly step: "done";
  readonly booking: Booking;
}
