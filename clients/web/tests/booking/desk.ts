/** A service whose answers the test gives when it likes, and a clock that the test sets. */
import type { Slotcast } from "../../src/api/client.js";
import type { Booking, Details, Hold, Slot } from "../../src/api/model.js";
import { CallFailed, type Problem } from "../../src/api/problem.js";
import { createSession, type Session } from "../../src/booking/session.js";
import type { BookingState } from "../../src/booking/state.js";

export const HOLD_MS = 300_000;
const NOON = Date.UTC(2030, 0, 7, 12);

export const SLOT: Slot = aSlot(9);
export const DETAILS: Details = {
  customer: { displayName: "Visitor 17", email: "", phone: "", timeZone: "", language: "" },
  fields: {},
};

export function aSlot(hour: number): Slot {
  const start = new Date(Date.UTC(2030, 0, 8, hour));
  return {
    key: `slot at ${hour}`,
    appointmentType: "businesses/demo/appointmentTypes/haircut",
    calendar: "businesses/demo/calendars/stylist-1",
    start,
    end: new Date(start.getTime() + 1_800_000),
    seatsLeft: 1,
  };
}

export function aProblem(reason: string, more: Partial<Problem> = {}): Problem {
  const retryable = ["UNREACHABLE", "TRY_AGAIN", "OVERLOADED"].includes(reason);
  const mayBeDone = ["UNREACHABLE", "TRY_AGAIN", "INTERNAL"].includes(reason);
  return {
    reason,
    retryable,
    mayBeDone,
    retryAfterMs: 0,
    message: reason,
    metadata: {},
    alternatives: [],
    fields: [],
    ...more,
  };
}

type Method = "hold" | "renew" | "release" | "book" | "redeem" | "wait";

interface Call {
  readonly method: Method;
  readonly about: unknown;
  readonly requestId: string;
  readonly leaving?: boolean;
  readonly answer: (value: unknown) => void;
  readonly refuse: (error: unknown) => void;
}

export class Desk {
  readonly calls: Call[] = [];
  nowMs = NOON;
  readonly session: Session = createSession(this.slotcast());
  private answered = 0;

  /** The calls of a method so far. */
  of(method: Method): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  state<Step extends BookingState["step"]>(step: Step): Extract<BookingState, { step: Step }> {
    const state = this.session.state();
    if (state.step !== step) throw new Error(`It is at ${state.step}, not at ${step}.`);
    return state as Extract<BookingState, { step: Step }>;
  }

  /** Answers the oldest call that waits, and lets what follows from it happen. */
  async answer(value: unknown): Promise<void> {
    this.oldest().answer(value);
    await settled();
  }

  async refuse(reason: string, more: Partial<Problem> = {}): Promise<void> {
    this.oldest().refuse(new CallFailed(aProblem(reason, more)));
    await settled();
  }

  /** Brings the visitor to the form, with a hold. */
  async held(): Promise<Hold> {
    this.session.choose(SLOT, false);
    const hold = this.aHold();
    await this.answer(hold);
    return hold;
  }

  aHold(name = "holds/1"): Hold {
    return { name, slot: SLOT, expire: new Date(this.nowMs + HOLD_MS) };
  }

  aBooking(): Booking {
    const { appointmentType, calendar, start, end } = SLOT;
    return {
      name: "bookings/1",
      appointmentType,
      calendars: [calendar],
      start,
      end,
      status: "confirmed",
    };
  }

  private oldest(): Call {
    const call = this.calls[this.answered++];
    if (!call) throw new Error("Nothing was asked.");
    return call;
  }

  private slotcast(): Slotcast {
    const asked = (method: Method, about: unknown, requestId: string, leaving = false) =>
      new Promise<never>((resolve, reject) => {
        const answer = (value: unknown) => resolve(value as never);
        this.calls.push({ method, about, requestId, leaving, answer, refuse: reject });
      });
    return {
      business: "businesses/demo",
      holder: "visitor-17",
      clock: { now: () => this.nowMs } as Slotcast["clock"],
      catalog: () => Promise.reject(new Error("not asked here")),
      hours: () => Promise.reject(new Error("not asked here")),
      openWatch: () => {
        throw new Error("not asked here");
      },
      hold: (choice, requestId) => asked("hold", choice, requestId),
      renew: (hold, requestId) => asked("renew", hold, requestId),
      release: (hold, requestId, leaving) => asked("release", hold, requestId, leaving),
      book: (hold, details, requestId) => asked("book", { hold, details }, requestId),
      redeem: (ticket, requestId) => asked("redeem", ticket, requestId),
      wait: (wish, customer, requestId) => asked("wait", { wish, customer }, requestId),
    };
  }
}

/** What was waiting for an answer that has come has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
