/** Frames as the service sends them, for the slots of one day. */

import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { slotOf } from "../../src/api/convert.js";
import type { Slot } from "../../src/api/model.js";
import {
  type ClearedSpanSchema,
  Goodbye_Reason,
  Reset_Reason,
  type WatchAvailabilityResponse,
  WatchAvailabilityResponseSchema,
} from "../../src/gen/slotcast/v1/availability_service_pb.js";
import { type Slot as SlotProto, SlotSchema } from "../../src/gen/slotcast/v1/core_pb.js";

export const DAY_MS = Date.UTC(2026, 10, 30);
export const STALE_AFTER_MS = 12_000;
const SLOT_MS = 30 * 60_000;

export function startOf(number: number): number {
  return DAY_MS + 9 * 3_600_000 + number * SLOT_MS;
}

/** What frames of a revision say that it was, by the service's clock. */
export function asOfAt(revision: number): number {
  return DAY_MS + revision * 1000;
}

export function aSlot(number: number, { calendar = "anna", seats = 1 } = {}): SlotProto {
  return create(SlotSchema, {
    appointmentType: "businesses/salon/appointmentTypes/cut",
    calendar: `businesses/salon/calendars/${calendar}`,
    startTime: timestampFromMs(startOf(number)),
    endTime: timestampFromMs(startOf(number) + SLOT_MS),
    seatsLeft: seats,
  });
}

export function aModel(number: number): Slot {
  return slotOf(aSlot(number));
}

export function modelOf(...slots: SlotProto[]): Slot[] {
  return slots.map(slotOf);
}

export function frame(
  revision: number,
  content: MessageInitShape<typeof WatchAvailabilityResponseSchema>["frame"],
  { asOfMs = asOfAt(revision), token = `token-${revision}` } = {},
): WatchAvailabilityResponse {
  return create(WatchAvailabilityResponseSchema, {
    revision: BigInt(revision),
    asOf: timestampFromMs(asOfMs),
    staleAfter: durationFromMs(STALE_AFTER_MS),
    resumeToken: token,
    ...(content && { frame: content }),
  });
}

export function chunks(revision: number, slots: SlotProto[], chunkSize = 500) {
  const frames: WatchAvailabilityResponse[] = [];
  for (let at = 0; at < slots.length; at += chunkSize) {
    const value = { slots: slots.slice(at, at + chunkSize) };
    frames.push(frame(revision, { case: "snapshotChunk", value }, { token: "" }));
  }
  return frames;
}

export function snapshotEnd(revision: number, openSlots: number): WatchAvailabilityResponse {
  return frame(revision, { case: "snapshotEnd", value: { openSlots } });
}

export function snapshot(revision: number, slots: SlotProto[], chunkSize = 500) {
  return [...chunks(revision, slots, chunkSize), snapshotEnd(revision, slots.length)];
}

export interface Changes {
  cleared?: MessageInitShape<typeof ClearedSpanSchema>[];
  closed?: SlotProto[];
  opened?: SlotProto[];
  more?: boolean;
}

export function delta(revision: number, changes: Changes): WatchAvailabilityResponse {
  const { cleared = [], opened = [], more = false } = changes;
  const closed = (changes.closed ?? []).map(
    ({ appointmentType, calendar, startTime, endTime }) => ({
      appointmentType,
      calendar,
      ...(startTime && { startTime }),
      ...(endTime && { endTime }),
    }),
  );
  const value = { cleared, closed, opened, more };
  return frame(revision, { case: "delta", value }, more ? { token: "" } : {});
}

/** Clears the slots that start at one time, on all calendars. */
export function span(number: number, end = number + 1): MessageInitShape<typeof ClearedSpanSchema> {
  return {
    startTime: timestampFromMs(startOf(number)),
    endTime: timestampFromMs(startOf(end)),
  };
}

export function heartbeat(revision: number, slots: SlotProto[], digest = digestOf(slots)) {
  return frame(revision, { case: "heartbeat", value: { openSlots: slots.length, digest } });
}

export function reset(revision: number, reason = Reset_Reason.COMPACTED) {
  return frame(revision, { case: "reset", value: { reason } }, { token: "" });
}

export function goodbye(revision: number, retryDelayMs = 0): WatchAvailabilityResponse {
  const value = { reason: Goodbye_Reason.AGE, retryDelay: durationFromMs(retryDelayMs) };
  return frame(revision, { case: "goodbye", value });
}

/** As `availability_service.proto` tells it, by other means than the widget's. */
export function digestOf(slots: SlotProto[]): bigint {
  const terms = slots.map((slot) => {
    const { appointmentType, calendar, startTime, endTime, seatsLeft } = slot;
    const line = `${appointmentType}\n${calendar}\n${startTime?.seconds}\n${endTime?.seconds}\n${seatsLeft}`;
    return createHash("sha256").update(line).digest().readBigUInt64BE();
  });
  return BigInt.asUintN(
    64,
    terms.reduce((sum, term) => sum + term, 0n),
  );
}
