/** The page of one link: what its visitor does, and what the service answers. */
import type { Slot, SlotChoice } from "../../src/api/model.js";
import { after, callFailed, type Problem } from "../../src/api/problem.js";
import { newId } from "../../src/api/visitor.js";
import { isHidden, listenForWake } from "../../src/live/wake.js";
import type { Desk } from "./desk.js";
import { type Event, FIRST, next, type View } from "./flow.js";

/** So that a page that stays open shows what was changed elsewhere. */
const REFRESH_MS = 30_000;

export interface Managing {
  readonly desk: Desk;
  subscribe(listener: () => void): () => void;
  view(): View;
  /** Asks for everything, anew after a failure. */
  open(): void;
  tell(event: Event): void;
  /** Moves the booking to the chosen time; once, however often it is called. */
  move(): void;
  cancel(reason: string): void;
  take(): void;
  leave(): void;
  /** How long the offer is still kept. */
  msLeft(): number;
}

export function createManaging(desk: Desk): Managing {
  return new PageOfLink(desk);
}

/** What was sent and not answered: it is sent again as it was, so that it is done once. */
interface Sent {
  readonly what: string;
  readonly requestId: string;
  problem: Problem | null;
}

class PageOfLink implements Managing {
  private current: View = FIRST;
  private readonly listeners = new Set<() => void>();
  private sent: Sent | null = null;
  private isAsking = false;
  private isKeptUpToDate = false;

  constructor(readonly desk: Desk) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  view = (): View => this.current;

  open(): void {
    this.tell({ is: "loading" });
    void this.load();
    this.keepUpToDate();
  }

  tell(event: Event): void {
    const before = this.current;
    this.current = next(before, event);
    if (this.current !== before) for (const listener of [...this.listeners]) listener();
  }

  move(): void {
    const { current } = this;
    if (current.is !== "booking" || current.screen.at !== "move") return;
    const { slot, isAnyone } = current.screen;
    const choice = choiceOf(slot, isAnyone);
    this.send(JSON.stringify(choice), async (requestId) => {
      const booking = await this.desk.move(current.booking, choice, requestId);
      return { is: "moved", booking };
    });
  }

  cancel(reason: string): void {
    const { current } = this;
    if (current.is !== "booking") return;
    this.send("cancel", async (requestId) => {
      const booking = await this.desk.cancel(current.booking, reason, requestId);
      return { is: "ended", what: "cancelled", booking };
    });
  }

  take(): void {
    const { current } = this;
    const offer = current.is === "offer" && current.entry.offer;
    if (current.is !== "offer" || !offer) return;
    this.send("take", async (requestId) => {
      const booking = await this.desk.take(current.entry, offer, requestId);
      return { is: "ended", what: "taken", booking };
    });
  }

  leave(): void {
    this.send("leave", async (requestId) => {
      await this.desk.leave(requestId);
      return { is: "left" };
    });
  }

  msLeft(): number {
    if (this.current.is !== "offer" || !this.current.entry.offer) return 0;
    const { catalog, entry } = this.current;
    const { until } = this.current.entry.offer;
    const type = catalog.types.find(({ name }) => name === entry.appointmentType);
    const leftMs = until.getTime() - this.desk.slotcast.clock.now();
    // The service's clock is known to a second: nobody has more than there ever was.
    return Math.max(0, Math.min(leftMs, 1000 * (type?.offerSeconds ?? Infinity)));
  }

  private send(what: string, call: (requestId: string) => Promise<Event>): void {
    const { current } = this;
    if ((current.is !== "booking" && current.is !== "offer") || isSending(current)) return;
    const isSame = this.sent?.what === what && isUnknown(current);
    const sent: Sent =
      isSame && this.sent ? this.sent : { what, requestId: newId(), problem: null };
    this.sent = sent;
    this.tell({ is: "sent" });
    call(sent.requestId).then(
      (event) => this.tell(event),
      (error) => {
        sent.problem = after(sent.problem, callFailed(error).problem);
        this.tell({ is: "refused", problem: sent.problem });
        // It was changed elsewhere: what is seen next is how it is now.
        if (sent.problem.reason === "VERSION_MISMATCH") void this.refresh();
      },
    );
  }

  /** As long as the page is there. */
  private keepUpToDate(): void {
    if (this.isKeptUpToDate) return;
    this.isKeptUpToDate = true;
    listenForWake({
      woke: () => void this.refresh(),
      offline: () => this.tell({ is: "offline" }),
      hidden: () => undefined,
    });
    setInterval(() => isHidden() || void this.refresh(), REFRESH_MS);
  }

  private async load(): Promise<void> {
    try {
      const [catalog, event] = await Promise.all([this.desk.slotcast.catalog(), this.ask()]);
      this.tell({ ...event, catalog });
    } catch (error) {
      this.tell({ is: "notLoaded", problem: callFailed(error).problem });
    }
  }

  private async ask() {
    return this.desk.link.kind === "booking"
      ? { is: "loaded" as const, booking: await this.desk.booking() }
      : { is: "loadedOffer" as const, entry: await this.desk.entry() };
  }

  private async refresh(): Promise<void> {
    const { current } = this;
    if (this.isAsking || (current.is !== "booking" && current.is !== "offer")) return;
    this.isAsking = true;
    try {
      if (current.is === "booking")
        this.tell({ is: "refreshed", booking: await this.desk.booking() });
      else this.tell({ is: "refreshedOffer", entry: await this.desk.entry() });
    } catch (error) {
      this.tell({ is: "notRefreshed", problem: callFailed(error).problem });
    } finally {
      this.isAsking = false;
    }
  }
}

function isSending(view: View): boolean {
  return "screen" in view && "sending" in view.screen && view.screen.sending === "sending";
}

function isUnknown(view: View): boolean {
  return "screen" in view && "sending" in view.screen && view.screen.sending === "unknown";
}

function choiceOf(slot: Slot, isAnyone: boolean): SlotChoice {
  return {
    appointmentType: slot.appointmentType,
    calendar: isAnyone ? "" : slot.calendar,
    start: slot.start,
    durationSeconds: (slot.end.getTime() - slot.start.getTime()) / 1000,
  };
}
