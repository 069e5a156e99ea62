/** What a letter's link says of itself. Pure. */
import { readToken, textOf } from "../token.js";

export interface Link {
  /** The token: whoever has it may do what the letter offers, so it is kept out of addresses that are sent. */
  readonly token: string;
  readonly kind: "booking" | "offer";
  /** `businesses/*`. */
  readonly business: string;
  /** The resource name of the booking, or of the entry in the waitlist. */
  readonly name: string;
}

const PREFIX = "slotcast_manage_";
const KINDS: Readonly<Record<number, Link["kind"]>> = { 1: "booking", 2: "offer" };
const COLLECTIONS = { booking: "bookings", offer: "waitlist" } as const;

/** Reads what follows the # of a link; null: a part of it is missing. */
export function readLink(fragment: string): Link | null {
  const token = textOf(fragment);
  const read = readToken(token, PREFIX);
  const kind = read && KINDS[read.kind];
  if (!read || !kind) return null;
  const { business, id } = read;
  return { token, kind, business, name: `${business}/${COLLECTIONS[kind]}/${id}` };
}
