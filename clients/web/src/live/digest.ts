/** The digest of a heartbeat (`availability_service.proto`), by which a client checks its slots. */
import type { Slot } from "../api/model.js";

/** How many slots are hashed at a time, so that the page is never kept busy for long. */
const BATCH = 200;

const terms = new WeakMap<Slot, bigint>();
const utf8 = new TextEncoder();

/** Sums up the slots; null where the browser does not let a page hash: not over HTTPS. */
export async function digestOf(slots: readonly Slot[]): Promise<bigint | null> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const unknown = slots.filter((slot) => !terms.has(slot));
  for (let at = 0; at < unknown.length; at += BATCH)
    await Promise.all(unknown.slice(at, at + BATCH).map((slot) => learn(slot, subtle)));
  const sum = slots.reduce((total, slot) => total + (terms.get(slot) ?? 0n), 0n);
  return BigInt.asUintN(64, sum);
}

async function learn(slot: Slot, subtle: SubtleCrypto): Promise<void> {
  const start = Math.floor(slot.start.getTime() / 1000);
  const end = Math.floor(slot.end.getTime() / 1000);
  const line = [slot.appointmentType, slot.calendar, start, end, slot.seatsLeft].join("\n");
  const hash = await subtle.digest("SHA-256", utf8.encode(line));
  terms.set(slot, new DataView(hash).getBigUint64(0));
}
