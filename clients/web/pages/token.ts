/** What the token of a link says of itself. Pure. Whether it is genuine, and still good, the service knows. */

export interface Token {
  /** What it is about, as the service numbers it. */
  readonly kind: number;
  readonly id: string;
  /** `businesses/*`. */
  readonly business: string;
}

const SIGNATURE_BYTES = 16;
const SECONDS_BYTES = 5;
const ID_BYTES = 16;
const KIND_AT = SIGNATURE_BYTES;
const ID_AT = KIND_AT + 1 + SECONDS_BYTES;
const BUSINESS_AT = ID_AT + ID_BYTES;
const BUSINESS_ID = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** What follows the # of an address. */
export function textOf(fragment: string): string {
  return fragment.replace(/^#/, "").trim();
}

/** Reads a token; null: a part of it is missing. */
export function readToken(text: string, prefix: string): Token | null {
  if (!text.startsWith(prefix)) return null;
  const bytes = bytesOf(text.slice(prefix.length));
  const kind = bytes?.[KIND_AT];
  if (!bytes || kind === undefined) return null;
  const business = String.fromCharCode(...bytes.slice(BUSINESS_AT));
  if (!BUSINESS_ID.test(business)) return null;
  const id = uuidOf(bytes.slice(ID_AT, BUSINESS_AT));
  return { kind, id, business: `businesses/${business}` };
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
