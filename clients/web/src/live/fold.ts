/** Frames of a watch folded into the slots that are open. Pure: no I/O, no clock. */
import { keyOf, millis, slotOf } from "../api/convert.js";
import type { Slot } from "../api/model.js";
import {
  type ClearedSpan,
  type Delta,
  type Heartbeat,
  type Reset,
  Reset_Reason,
  type SnapshotChunk,
  type WatchAvailabilityResponse,
} from "../gen/slotcast/v1/availability_service_pb.js";

/** The frames cannot be right: the view is to be fetched anew, without a token. */
export class ViewMismatch extends Error {
  override readonly name = "ViewMismatch";
}

/** What the frames have told so far. It is never changed: each frame makes another, if it must. */
export interface OpenSlots {
  /** The slots as they were last told, by start; the same array while none has changed. */
  readonly slots: readonly Slot[];
  readonly byKey: ReadonlyMap<string, Slot>;
  /** False until a snapshot has ended, and after a reset: `slots` are then no longer known to be open. */
  readonly whole: boolean;
  readonly revision: bigint;
  /** The last instant, by the server's clock, at which the slots were as told. */
  readonly asOfMs: number | null;
  readonly resumeToken: string;
  readonly chunks: readonly SnapshotChunk[];
  readonly parts: readonly Delta[];
}

export interface Folded {
  readonly open: OpenSlots;
  /** True: the slots now equal the truth at the frame's revision and `as_of`. */
  readonly complete: boolean;
}

export const NOTHING: OpenSlots = {
  slots: [],
  byKey: new Map(),
  whole: false,
  revision: 0n,
  asOfMs: null,
  resumeToken: "",
  chunks: [],
  parts: [],
};

/** Drops what the stream before left unfinished: the next one tells it again. */
export function beginStream(open: OpenSlots): OpenSlots {
  return { ...open, chunks: [], parts: [] };
}

/** Drops the token, and that the slots are known. The revision stays: what is shown never goes back. */
export function forget(open: OpenSlots): OpenSlots {
  return { ...beginStream(open), whole: false, resumeToken: "" };
}

/** Folds a frame in. Kinds of frame that this client does not know change nothing. */
export function fold(open: OpenSlots, frame: WatchAvailabilityResponse): Folded {
  const kind = frame.frame.case;
  if (kind !== undefined && kind !== "reset" && frame.revision < open.revision)
    throw new ViewMismatch(`Revision ${frame.revision} came after ${open.revision}.`);
  if (open.parts.length > 0 && !MAY_FOLLOW_A_PART.has(kind))
    throw new ViewMismatch("A delta was not finished.");
  const folded = foldContent(open, frame.frame);
  return folded.complete ? { open: stamped(folded.open, frame), complete: true } : folded;
}

type Content = WatchAvailabilityResponse["frame"];

const MAY_FOLLOW_A_PART: ReadonlySet<Content["case"]> = new Set([
  "delta",
  "goodbye",
  "reset",
  undefined,
]);

function foldContent(open: OpenSlots, content: Content): Folded {
  switch (content.case) {
    case "reset":
      return unfinished(reset(open, content.value));
    case "snapshotChunk":
      return unfinished({ ...open, chunks: [...open.chunks, content.value] });
    case "snapshotEnd":
      return { open: endSnapshot(open, content.value.openSlots), complete: true };
    case "delta":
      return addPart(open, content.value);
    case "heartbeat":
      return { open, complete: isAsCounted(open, content.value) };
    case "goodbye":
      // Its token stands for all before it: with a part missing, the older one is right.
      return { open, complete: open.whole && open.parts.length === 0 };
    default:
      return unfinished(open);
  }
}

function unfinished(open: OpenSlots): Folded {
  return { open, complete: false };
}

function stamped(open: OpenSlots, frame: WatchAvailabilityResponse): OpenSlots {
  return {
    ...open,
    revision: frame.revision,
    asOfMs: millis(frame.asOf),
    resumeToken: frame.resumeToken || open.resumeToken,
  };
}

function reset(open: OpenSlots, { reason }: Reset): OpenSlots {
  const forgotten = forget(open);
  // Another life of the business counts anew.
  return reason === Reset_Reason.EPOCH ? { ...forgotten, revision: 0n } : forgotten;
}

function endSnapshot(open: OpenSlots, count: number): OpenSlots {
  const byKey = new Map<string, Slot>();
  for (const chunk of open.chunks) put(byKey, chunk.slots.map(slotOf), open.byKey);
  if (byKey.size !== count)
    throw new ViewMismatch(`${byKey.size} of ${count} slots of a snapshot came.`);
  return { ...withSlots(open, byKey), whole: true, chunks: [] };
}

function addPart(open: OpenSlots, delta: Delta): Folded {
  if (!open.whole) throw new ViewMismatch("A delta came before any snapshot.");
  const parts = [...open.parts, delta];
  if (delta.more) return unfinished({ ...open, parts });
  return { open: { ...withSlots(open, changed(open.byKey, parts)), parts: [] }, complete: true };
}

function changed(before: ReadonlyMap<string, Slot>, parts: readonly Delta[]): Map<string, Slot> {
  const byKey = new Map(before);
  for (const span of parts.flatMap((part) => part.cleared)) clear(byKey, span);
  for (const part of parts) for (const closed of part.closed) byKey.delete(keyOf(closed));
  for (const part of parts) put(byKey, part.opened.map(slotOf), before);
  return byKey;
}

function clear(byKey: Map<string, Slot>, span: ClearedSpan): void {
  const startMs = millis(span.startTime);
  const endMs = millis(span.endTime);
  for (const [key, slot] of byKey) {
    const isInside =
      startMs <= slot.start.getTime() &&
      slot.start.getTime() < endMs &&
      (span.appointmentType === "" || span.appointmentType === slot.appointmentType) &&
      (span.calendar === "" || span.calendar === slot.calendar);
    if (isInside) byKey.delete(key);
  }
}

/** A slot that is told again and has not changed stays the same object. */
function put(
  byKey: Map<string, Slot>,
  slots: readonly Slot[],
  known: ReadonlyMap<string, Slot>,
): void {
  for (const slot of slots) {
    const before = known.get(slot.key);
    byKey.set(slot.key, before?.seatsLeft === slot.seatsLeft ? before : slot);
  }
}

function withSlots(open: OpenSlots, byKey: ReadonlyMap<string, Slot>): OpenSlots {
  const slots = [...byKey.values()];
  const isSame =
    slots.length === open.slots.length && slots.every((slot) => open.byKey.get(slot.key) === slot);
  return isSame ? open : { ...open, byKey, slots: slots.sort(byStart) };
}

function byStart(one: Slot, other: Slot): number {
  return (
    one.start.getTime() - other.start.getTime() ||
    compare(one.appointmentType, other.appointmentType) ||
    compare(one.calendar, other.calendar) ||
    one.end.getTime() - other.end.getTime()
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function isAsCounted(open: OpenSlots, { openSlots }: Heartbeat): boolean {
  if (open.whole && open.slots.length !== openSlots)
    throw new ViewMismatch(`${open.slots.length} slots are not the server's ${openSlots}.`);
  return open.whole;
}
