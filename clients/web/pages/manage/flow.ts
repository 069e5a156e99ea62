/** What each event makes of the page of a letter's link. Pure: no calls, no clock. */
import type { Catalog, Slot } from "../../src/api/model.js";
import type { Problem } from "../../src/api/problem.js";
import { SLOT_LOST } from "../../src/booking/flow.js";
import type { LostSlot } from "../../src/booking/state.js";
import type { OwnBooking, OwnEntry } from "./desk.js";

/** `unknown`: it was sent, and whether it is done is not known; only the same may be sent again. */
export type Sending = "no" | "sending" | "unknown";

interface Sent {
  readonly sending: Sending;
  readonly problem: Problem | null;
}

/** Where who has a booking stands. */
export type Screen =
  | { readonly at: "look"; readonly isMoved: boolean; readonly problem: Problem | null }
  | { readonly at: "times"; readonly lost: LostSlot | null }
  | ({ readonly at: "move"; readonly slot: Slot; readonly isAnyone: boolean } & Sent)
  | ({ readonly at: "cancel" } & Sent);

/** Where who waits stands, be it that a time is offered to them; to decline one is to wait no more. */
export type OfferScreen = ({ readonly at: "offer" } & Sent) | ({ readonly at: "decline" } & Sent);

export interface WithBooking {
  readonly is: "booking";
  readonly catalog: Catalog;
  readonly booking: OwnBooking;
  readonly screen: Screen;
  /** True: the service could not be asked again; what is shown may be out of date. */
  readonly isStale: boolean;
}

export interface WithOffer {
  readonly is: "offer";
  readonly catalog: Catalog;
  readonly entry: OwnEntry;
  readonly screen: OfferScreen;
  readonly isStale: boolean;
}

export type View =
  | { readonly is: "loading" }
  | { readonly is: "failed"; readonly problem: Problem }
  /** The link is damaged, or of another service. */
  | { readonly is: "unknown" }
  /** The link has ended with what it was about; `status` as CAPABILITY_ENDED tells it. */
  | { readonly is: "gone"; readonly status: string }
  | WithBooking
  | WithOffer
  | ({ readonly is: "done"; readonly what: "cancelled" | "taken"; readonly booking: OwnBooking } & {
      readonly catalog: Catalog;
    });

export type Event =
  | { readonly is: "loading" }
  | { readonly is: "loaded"; readonly catalog: Catalog; readonly booking: OwnBooking }
  | { readonly is: "loadedOffer"; readonly catalog: Catalog; readonly entry: OwnEntry }
  | { readonly is: "notLoaded"; readonly problem: Problem }
  | { readonly is: "refreshed"; readonly booking: OwnBooking }
  | { readonly is: "refreshedOffer"; readonly entry: OwnEntry }
  | { readonly is: "notRefreshed"; readonly problem: Problem }
  | { readonly is: "offline" }
  | { readonly is: "wantsTimes" }
  | { readonly is: "chosen"; readonly slot: Slot; readonly isAnyone: boolean }
  | { readonly is: "wantsToCancel" }
  | { readonly is: "wantsToDecline" }
  | { readonly is: "back" }
  | { readonly is: "sent" }
  | { readonly is: "moved"; readonly booking: OwnBooking }
  | { readonly is: "ended"; readonly what: "cancelled" | "taken"; readonly booking: OwnBooking }
  | { readonly is: "left" }
  | { readonly is: "refused"; readonly problem: Problem };

export const FIRST: View = { is: "loading" };
const LOOKING: Extract<Screen, { at: "look" }> = { at: "look", isMoved: false, problem: null };
const OFFERED: OfferScreen = { at: "offer", sending: "no", problem: null };

/** Of these: the link itself is not accepted. */
const LINK_REFUSED: ReadonlySet<string> = new Set([
  "KEY_INVALID",
  "KEY_MISSING",
  "SCOPE_MISSING",
  "RESOURCE_NOT_FOUND",
]);
/** Of these: the offer is another's by now. */
const OFFER_LOST: ReadonlySet<string> = new Set([...SLOT_LOST, "HOLD_ENDED", "WAITING_ENDED"]);

/** The view after an event; the same one where the event comes too late to matter. */
export function next(view: View, event: Event): View {
  switch (event.is) {
    case "loading":
      return FIRST;
    case "loaded":
      return { ...event, is: "booking", screen: LOOKING, isStale: false };
    case "loadedOffer":
      return { ...event, is: "offer", screen: OFFERED, isStale: false };
    case "notLoaded":
      return ended(event.problem) ?? { is: "failed", problem: event.problem };
    case "refused":
    case "notRefreshed": {
      const end = ended(event.problem);
      if (end) return end;
      break;
    }
    case "left":
      return { is: "gone", status: "LEFT" };
    default:
  }
  if (view.is === "booking") return withBooking(view, event);
  return view.is === "offer" ? withOffer(view, event) : view;
}

/** What a problem of the link itself leads to; null: it is about something else. */
function ended({ reason, metadata }: Problem): View | null {
  if (reason === "CAPABILITY_ENDED") return { is: "gone", status: metadata["status"] ?? "" };
  return LINK_REFUSED.has(reason) ? { is: "unknown" } : null;
}

function withBooking(view: WithBooking, event: Event): View {
  const { screen } = view;
  switch (event.is) {
    case "refreshed":
      return refreshed(view, event.booking);
    case "notRefreshed":
    case "offline":
      return { ...view, isStale: true };
    case "wantsTimes":
      if (screen.at !== "look") return view;
      return { ...view, screen: { at: "times", lost: null } };
    case "chosen":
      if (screen.at !== "times") return view;
      return { ...view, screen: { ...event, at: "move", sending: "no", problem: null } };
    case "wantsToCancel":
      if (screen.at !== "look") return view;
      return { ...view, screen: { at: "cancel", sending: "no", problem: null } };
    case "back":
      return back(view);
    case "sent":
      if (screen.at !== "move" && screen.at !== "cancel") return view;
      return { ...view, screen: { ...screen, sending: "sending", problem: null } };
    case "moved":
      return {
        ...view,
        booking: event.booking,
        screen: { at: "look", isMoved: true, problem: null },
      };
    case "ended":
      return { ...event, is: "done", catalog: view.catalog };
    case "refused":
      return refusedBooking(view, event.problem);
    default:
      return view;
  }
}

/** What was changed elsewhere is told, but while something is under way, whose answer tells more. */
function refreshed(view: WithBooking, booking: OwnBooking): View {
  const { screen } = view;
  const isUnderWay = "sending" in screen && screen.sending !== "no";
  if (booking.version === view.booking.version || isUnderWay) return { ...view, isStale: false };
  const problem = screen.at === "look" ? screen.problem : null;
  return { ...view, booking, screen: { ...LOOKING, problem }, isStale: false };
}

function back(view: WithBooking): View {
  const { screen } = view;
  if ("sending" in screen && screen.sending !== "no") return view;
  return { ...view, screen: screen.at === "move" ? { at: "times", lost: null } : LOOKING };
}

function refusedBooking(view: WithBooking, problem: Problem): View {
  const { screen } = view;
  if (screen.at !== "move" && screen.at !== "cancel") return view;
  if (screen.at === "move" && SLOT_LOST.has(problem.reason)) {
    const { reason, alternatives } = problem;
    return { ...view, screen: { at: "times", lost: { slot: screen.slot, reason, alternatives } } };
  }
  if (LOOK_AGAIN.has(problem.reason)) return { ...view, screen: { ...LOOKING, problem } };
  const sending = problem.mayBeDone ? "unknown" : "no";
  return { ...view, screen: { ...screen, sending, problem } };
}

/** After these, what was wanted cannot be done to the booking as it was seen. */
const LOOK_AGAIN: ReadonlySet<string> = new Set([
  "CANCELLATION_NOTICE_PASSED",
  "INVALID_TRANSITION",
  "VERSION_MISMATCH",
]);

function withOffer(view: WithOffer, event: Event): View {
  const { screen } = view;
  switch (event.is) {
    case "refreshedOffer":
      return screen.sending === "no" ? refreshedOffer(view, event.entry) : view;
    case "notRefreshed":
    case "offline":
      return { ...view, isStale: true };
    case "wantsToDecline":
      if (screen.sending !== "no") return view;
      return { ...view, screen: { at: "decline", sending: "no", problem: null } };
    case "back":
      return screen.sending === "no" ? { ...view, screen: OFFERED } : view;
    case "sent":
      return { ...view, screen: { ...screen, sending: "sending", problem: null } };
    case "ended":
      return { ...event, is: "done", catalog: view.catalog };
    case "refused":
      return refusedOffer(view, event.problem);
    default:
      return view;
  }
}

/** What was asked is asked anew where something else is offered by now. */
function refreshedOffer(view: WithOffer, entry: OwnEntry): WithOffer {
  const isSame = entry.offer?.name === view.entry.offer?.name;
  return { ...view, entry, screen: isSame ? view.screen : OFFERED, isStale: false };
}

function refusedOffer(view: WithOffer, problem: Problem): View {
  if (OFFER_LOST.has(problem.reason))
    return { is: "gone", status: problem.metadata["status"] ?? "LAPSED" };
  const sending = problem.mayBeDone ? "unknown" : "no";
  return { ...view, screen: { ...view.screen, sending, problem } };
}
