/** What a letter's link says of itself. Pure. Whether it is genuine, and still good, the service knows. */

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
const SIGNATURE_BYTES = 16;
const SECONDS_BYTES = 5;
const ID_BYTES = 16;
const KIND_AT = SIGNATURE_BYTES;
const ID_AT = KIND_AT + 1 + SECONDS_BYTES;
const BUSINESS_AT = ID_AT + ID_BYTES;
const BUSINESS_ID = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
const KINDS = { 1: "booking", 2: "offer" } as const;
const COLLECTIONS = { booking: "bookings", offer: "waitlist" } as const;

/** Reads what follows the # of a link; null: a part of it is missing. */
export function readLink(fragment: string): Link | null {
  const token = fragment.replace(/^#/, "").trim();
  if (!token.startsWith(PREFIX)) return null;
  const bytes = bytesOf(token.slice(PREFIX.length));
  if (!bytes) return null;
  const kind = KINDS[bytes[KIND_AT] as keyof typeof KINDS];
  const business = String.fromCharCode(...bytes.slice(BUSINESS_AT));
  if (!kind || !BUSINESS_ID.test(business)) return null;
  const id = uuidOf(bytes.slice(ID_AT, BUSINESS_AT));
  const parent = `businesses/${business}`;
  return { token, kind, business: parent, name: `${parent}/${COLLECTIONS[kind]}/${id}` };
}

function bytesOf(text: string): Uint8Array | null {
  try {
    const decoded = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
