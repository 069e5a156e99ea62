/** Who comes from a chat with a ticket, which may be the key too. */
import { useEffect, useRef, useState } from "react";
import type { Problem } from "../api/problem.js";
import type { Session } from "../booking/session.js";
import type { BookingState } from "../booking/state.js";
import { isTimeZone } from "../words/format.js";
import { useSpeaking } from "../words/provider.js";
import { DeadEnd, Notice } from "./parts.js";
import { ticketKey } from "./problemText.js";
import type { SlotcastBookingProps } from "./SlotcastBooking.js";

/** True until anything has happened. */
export function useIsNew(state: BookingState): boolean {
  const first = useRef<BookingState | null>(state);
  if (state !== first.current) first.current = null;
  return first.current !== null;
}

/** True: one has come with nothing but a ticket, which opens its own appointment type and ends with the booking. */
export function isKey({ ticket, apiKey }: SlotcastBookingProps): boolean {
  return ticket !== undefined && ticket === apiKey;
}

const KEY_ENDED: ReadonlySet<string> = new Set(["KEY_INVALID", "CAPABILITY_ENDED"]);
const OVER: ReadonlySet<string> = new Set(["BOOKED", "GONE"]);

/** True: a ticket that is the key too opens nothing any more; what it was for is booked, or nobody knows it. */
export function isTicketOver(problem: Problem | null): problem is Problem {
  if (!problem) return false;
  return KEY_ENDED.has(problem.reason) || OVER.has(problem.metadata["status"] ?? "");
}

export function TicketEnded({ problem }: { problem: Problem }) {
  const { text } = useSpeaking();
  return <DeadEnd>{text(ticketKey(problem))}</DeadEnd>;
}

/** Why the ticket was refused, until the visitor has chosen a time themselves. */
export function TicketRefused({ problem }: { problem: Problem }) {
  const { text } = useSpeaking();
  const key = ticketKey(problem);
  return (
    <Notice tone="bad">
      {text(key)} {key !== "ticketRefused" && text("noAlternatives")}
    </Notice>
  );
}

/** Who has said by whose clock they live sees the times so, unless the page has another. */
export function useSaidZone(session: Session, ofPage: string | undefined): void {
  const { setTimeZone } = useSpeaking();
  const fields = session.handoff()?.fields;
  const said = fields?.find(
    ({ name, value, isInferred }) => name === "time_zone" && !isInferred && isTimeZone(value),
  );
  useEffect(() => {
    if (said && !ofPage) setTimeZone(said.value);
  }, [said, ofPage, setTimeZone]);
}

/**
 * Who has said which language they speak is spoken to in it, unless the page has another. True: the form would
 * be in the wrong one yet.
 */
export function useSaidLanguage(session: Session): boolean {
  const { isChanging, setLanguage } = useSpeaking();
  const fields = session.handoff()?.fields;
  const said = fields?.find(({ name, isInferred }) => name === "language" && !isInferred)?.value;
  const [told, setTold] = useState<string>();
  const isSettled = useRef(false);
  useEffect(() => {
    if (!said) return;
    setLanguage(said);
    setTold(said);
  }, [said, setLanguage]);
  if (said && told === said && !isChanging) isSettled.current = true;
  return said !== undefined && !isSettled.current;
}
