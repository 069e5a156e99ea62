/** What a chat's link says of itself. Pure. */
import { readToken, textOf } from "../token.js";

export interface Link {
  /** Whoever has it may take over what was held, so it is kept out of addresses that are sent. */
  readonly ticket: string;
  /** `businesses/*`. */
  readonly business: string;
}

const PREFIX = "slotcast_handoff_";
const KIND = 3;

/** Reads what follows the # of a link; null: a part of it is missing. */
export function readLink(fragment: string): Link | null {
  const ticket = textOf(fragment);
  const token = readToken(ticket, PREFIX);
  return token?.kind === KIND ? { ticket, business: token.business } : null;
}
