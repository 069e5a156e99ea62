/** Why a booking is cancelled, as the service takes it. Pure. */

export const REASON_LENGTH_MAX = 500;

/** In one line: what a keyboard cannot write into one, but somebody may have copied, becomes a blank. */
export function reasonOf(typed: string): string {
  return typed.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
