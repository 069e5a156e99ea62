/** One visitor's booking, from the time they choose to the answer. */
import type { Slotcast } from "../api/client.js";
import type { Details, Handoff, Hold, Slot, SlotChoice } from "../api/model.js";
import { after, CallFailed, callFailed, type Problem } from "../api/problem.js";
import { newId } from "../api/visitor.js";
import { type BookingEvent, FIRST, next } from "./flow.js";
import type { BookingState } from "./state.js";

export interface Session {
  subscribe(listener: () => void): () => void;
  state(): BookingState;
  /** Holds a time; `anyCalendar`: on whichever the service chooses. */
  choose(slot: Slot, anyCalendar: boolean): void;
  /** The visitor is at it: what they hold is renewed when half of its time is over. */
  typed(): void;
  /** Holds anew what has expired, if nobody has taken it. */
  holdAgain(): void;
  /** Books; once, however often it is called. */
  submit(details: Details): void;
  /** Takes over what was held in a chat; what it brought is `handoff()` then. */
  redeem(ticket: string): void;
  /** What a ticket has brought. It stays when another time is chosen. */
  handoff(): Handoff | null;
  /** The appointment type that a ticket is for, also where it was refused; empty: that is not known. */
  ticketType(): string;
  /** Back to the times, giving the held one free. Nothing while it is not known whether it is booked. */
  back(): void;
  /**
   * The visitor is going: what they hold is free at once. But not what a ticket brought: with that they can
   * come again, as by loading the page anew.
   */
  leave(): void;
  /** After a booking: another one. */
  restart(): void;
  /** How long the hold still lasts; 0 where there is none. */
  msLeft(): number;
}

export function createSession(slotcast: Slotcast): Session {
  return new BookingSession(slotcast);
}

/** What was sent and not answered: it is sent again as it was, so that it is done once. */
interface Sent<Body> {
  readonly body: Body;
  readonly requestId: string;
  problem: Problem | null;
}

class BookingSession implements Session {
  private current: BookingState = FIRST;
  private readonly listeners = new Set<() => void>();
  private choice: SlotChoice | null = null;
  private holdSent: Sent<string> | null = null;
  private bookSent: Sent<Details> | null = null;
  private ticketSent: Sent<string> | null = null;
  private brought: Handoff | null = null;
  private typeOfTicket = "";
  private holdMs = 0;
  private isRenewing = false;
  private expiry: ReturnType<typeof setTimeout> | undefined;
  /** Rises when the visitor goes elsewhere: what is answered after that is not for what they see. */
  private visit = 0;

  constructor(private readonly slotcast: Slotcast) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  state = (): BookingState => this.current;

  choose(slot: Slot, anyCalendar: boolean): void {
    if (this.current.step !== "time" || this.current.holding) return;
    this.tell({ is: "chosen", slot });
    this.choice = choiceOf(slot, anyCalendar);
    void this.hold(this.choice);
  }

  redeem(ticket: string): void {
    const { current } = this;
    if (current.step !== "time" && (current.step !== "ticket" || !current.problem)) return;
    this.choice = null;
    if (this.ticketSent?.body !== ticket)
      this.ticketSent = { body: ticket, requestId: newId(), problem: null };
    this.tell({ is: "redeeming" });
    void this.takeOver(this.ticketSent);
  }

  handoff = (): Handoff | null => this.brought;

  ticketType = (): string => this.typeOfTicket;

  typed(): void {
    const { current } = this;
    if (current.step !== "details" || current.holding !== "held" || current.sending !== "no")
      return;
    if (this.msLeft() < this.holdMs / 2) void this.renew(current.hold);
  }

  holdAgain(): void {
    const { current } = this;
    if (current.step !== "details" || current.holding !== "expired") return;
    this.tell({ is: "renewing" });
    void this.renew(current.hold);
  }

  submit(details: Details): void {
    const { current } = this;
    if (current.step !== "details" || current.sending === "sending") return;
    if (current.sending === "no" || !this.bookSent)
      this.bookSent = { body: details, requestId: newId(), problem: null };
    this.tell({ is: "sent" });
    void this.book(current.hold, this.bookSent);
  }

  back(): void {
    if (this.current.step === "details" && this.current.sending === "no") this.go(false);
  }

  leave(): void {
    // What was sent and not answered may be booked by now: then there is nothing to free.
    if (this.current.step !== "done" && !this.isFromTicket()) this.go(true);
  }

  restart(): void {
    if (this.current.step === "done") this.go(false);
  }

  msLeft(): number {
    const { current } = this;
    if (current.step !== "details") return 0;
    return Math.max(0, current.hold.expire.getTime() - this.slotcast.clock.now());
  }

  private async hold(choice: SlotChoice): Promise<void> {
    const body = JSON.stringify(choice);
    if (this.holdSent?.body !== body) this.holdSent = { body, requestId: newId(), problem: null };
    const isAnswered = await this.take(this.slotcast.hold(choice, this.holdSent.requestId));
    if (isAnswered) this.holdSent = null;
  }

  /** Awaits a hold; false: it is not known whether it was made. */
  private async take(asked: Promise<Hold>): Promise<boolean> {
    const { visit } = this;
    try {
      const hold = await asked;
      if (visit !== this.visit) this.free(hold, true);
      else this.keep({ is: "held", hold });
      return true;
    } catch (error) {
      const { problem } = callFailed(error);
      if (visit === this.visit) this.tell({ is: "notHeld", problem });
      return !problem.retryable;
    }
  }

  private async takeOver({ body: ticket, requestId }: Sent<string>): Promise<void> {
    try {
      this.brought = await this.slotcast.redeem(ticket, requestId);
      const { hold } = this.brought;
      this.typeOfTicket = hold.slot.appointmentType;
      this.keep({ is: "held", hold });
    } catch (error) {
      const { problem } = callFailed(error);
      this.typeOfTicket = problem.metadata["appointment_type"] ?? "";
      this.tell({ is: "notRedeemed", problem });
    }
  }

  private isFromTicket(): boolean {
    const { current, brought } = this;
    if (current.step === "ticket") return true;
    return current.step === "details" && current.hold.name === brought?.hold.name;
  }

  private async renew(hold: Hold): Promise<void> {
    if (this.isRenewing) return;
    this.isRenewing = true;
    const { visit } = this;
    try {
      const renewed = await this.renewedOrNew(hold);
      if (visit === this.visit) this.keep({ is: "renewed", hold: renewed });
      else this.free(renewed, true);
    } catch (error) {
      if (visit === this.visit) this.tell({ is: "notRenewed", problem: callFailed(error).problem });
    } finally {
      this.isRenewing = false;
    }
  }

  private async renewedOrNew(hold: Hold): Promise<Hold> {
    try {
      return await this.slotcast.renew(hold, newId());
    } catch (error) {
      const reason = error instanceof CallFailed ? error.problem.reason : "";
      const isOver = this.current.step === "details" && this.current.holding === "renewing";
      // It cannot be renewed any more, but its slot may still be free.
      if (isOver && (reason === "HOLD_ENDED" || reason === "HOLD_LIFETIME_REACHED"))
        return await this.slotcast.hold(this.choice ?? choiceOf(hold.slot, false), newId());
      throw error;
    }
  }

  private async book(hold: Hold, sent: Sent<Details>): Promise<void> {
    const { visit } = this;
    try {
      const booking = await this.slotcast.book(hold, sent.body, sent.requestId);
      if (visit !== this.visit) return;
      clearTimeout(this.expiry);
      this.tell({ is: "booked", booking });
    } catch (error) {
      sent.problem = after(sent.problem, callFailed(error).problem);
      if (visit === this.visit) this.tell({ is: "notBooked", problem: sent.problem });
      this.watchExpiry();
    }
  }

  private keep(event: BookingEvent & { is: "held" | "renewed" }): void {
    this.holdMs = event.hold.expire.getTime() - this.slotcast.clock.now();
    this.tell(event);
    this.watchExpiry();
  }

  private watchExpiry(): void {
    clearTimeout(this.expiry);
    if (this.current.step !== "details" || this.current.holding === "expired") return;
    const { visit } = this;
    this.expiry = setTimeout(() => {
      if (visit !== this.visit) return;
      if (this.msLeft() > 0) this.watchExpiry();
      else this.tell({ is: "expired" });
    }, this.msLeft() + 50);
  }

  private go(leaving: boolean): void {
    const { current } = this;
    this.visit++;
    clearTimeout(this.expiry);
    this.bookSent = null;
    if (current.step === "details" && current.sending === "no") this.free(current.hold, leaving);
    this.tell({ is: "left" });
  }

  private free(hold: Hold, leaving: boolean): void {
    // Where this fails it expires by itself.
    this.slotcast.release(hold, newId(), leaving).catch(() => undefined);
  }

  private tell(event: BookingEvent): void {
    const before = this.current;
    this.current = next(before, event);
    if (this.current !== before) for (const listener of [...this.listeners]) listener();
  }
}

function choiceOf(slot: Slot, anyCalendar: boolean): SlotChoice {
  return {
    appointmentType: slot.appointmentType,
    calendar: anyCalendar ? "" : slot.calendar,
    start: slot.start,
    durationSeconds: (slot.end.getTime() - slot.start.getTime()) / 1000,
  };
}
