import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import type { Booking, Hold } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { BookingState } from "../booking/state.js";

export function useSessionState(session: Session): BookingState {
  const subscribe = useCallback((listener: () => void) => session.subscribe(listener), [session]);
  const state = () => session.state();
  return useSyncExternalStore(subscribe, state, state);
}

/** What the page is told. */
export interface SessionListener {
  readonly onHeld?: ((hold: Hold) => void) | undefined;
  readonly onBooked?: ((booking: Booking) => void) | undefined;
  /** It is not held any more, and not booked. */
  readonly onReleased?: ((hold: Hold) => void) | undefined;
}

export function useSessionListener(session: Session, listener: SessionListener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    let before = session.state();
    return session.subscribe(() => {
      const now = session.state();
      tell(latest.current, before, now);
      before = now;
    });
  }, [session]);
}

function tell(listener: SessionListener, before: BookingState, now: BookingState): void {
  const hadHold = before.step === "details" ? before.hold : null;
  if (now.step === "done" && before.step !== "done") listener.onBooked?.(now.booking);
  // Of what was sent and not answered nobody knows that it is free.
  const isFreed = before.step === "details" && before.sending === "no";
  if (now.step === "time" && hadHold && isFreed) listener.onReleased?.(hadHold);
  if (now.step === "details" && now.hold.name !== hadHold?.name) listener.onHeld?.(now.hold);
}

/** When the visitor goes, what they hold is free at once. */
export function useLeaving(session: Session): void {
  useEffect(() => {
    const leave = () => session.leave();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [session]);
}

/** Takes over what a ticket carries, once. */
export function useTicket(session: Session, ticket: string | undefined): void {
  useEffect(() => {
    if (!ticket) return undefined;
    // A ticket is good for once: an effect that is run twice, as in React's strict mode, may not use it up.
    const timer = setTimeout(() => session.redeem(ticket));
    return () => clearTimeout(timer);
  }, [session, ticket]);
}
