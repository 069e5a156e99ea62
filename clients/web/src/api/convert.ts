/** Protos to the domain. */
import { type Duration, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type {
  Booking as BookingProto,
  Hold as HoldProto,
  PrefilledField as PrefilledFieldProto,
} from "../gen/slotcast/v1/booking_service_pb.js";
import { BookingStatus, PrefilledField_Provenance } from "../gen/slotcast/v1/booking_service_pb.js";
import type { AppointmentType as TypeProto } from "../gen/slotcast/v1/catalog_service_pb.js";
import type { Slot as SlotProto } from "../gen/slotcast/v1/core_pb.js";
import type { AppointmentType, Booking, Hold, PrefilledField, Slot } from "./model.js";

const HOLD_SECONDS = 300;
const HORIZON_SECONDS = 60 * 86_400;
const OFFER_SECONDS = 900;

/** What identifies a slot, in either form in which a watch names one. */
type Keyed = Pick<SlotProto, "appointmentType" | "calendar" | "startTime" | "endTime">;

export function keyOf(slot: Keyed): string {
  return slotKey(slot.appointmentType, slot.calendar, millis(slot.startTime), millis(slot.endTime));
}

export function slotKey(
  appointmentType: string,
  calendar: string,
  startMs: number,
  endMs: number,
): string {
  return `${appointmentType}\n${calendar}\n${startMs / 1000}\n${endMs / 1000}`;
}

export function slotOf(proto: SlotProto): Slot {
  return {
    key: keyOf(proto),
    appointmentType: proto.appointmentType,
    calendar: proto.calendar,
    start: date(proto.startTime),
    end: date(proto.endTime),
    seatsLeft: proto.seatsLeft,
  };
}

export function holdOf(proto: HoldProto): Hold {
  const calendar = proto.calendars[0] ?? "";
  return {
    name: proto.name,
    slot: slotOf({ ...proto, calendar, seatsLeft: 1, $typeName: "slotcast.v1.Slot" }),
    expire: date(proto.expireTime),
  };
}

/** Whatever was not said in so many words is to be confirmed. */
export function prefilledOf({ name, value, provenance }: PrefilledFieldProto): PrefilledField {
  return { name, value, isInferred: provenance !== PrefilledField_Provenance.SAID };
}

export function bookingOf(proto: BookingProto): Booking {
  return {
    name: proto.name,
    appointmentType: proto.appointmentType,
    calendars: proto.calendars,
    start: date(proto.startTime),
    end: date(proto.endTime),
    status: STATUSES[proto.status] ?? "other",
  };
}

const STATUSES: { readonly [status: number]: Booking["status"] } = {
  [BookingStatus.PENDING]: "pending",
  [BookingStatus.CONFIRMED]: "confirmed",
};

export function typeOf(proto: TypeProto): AppointmentType {
  return {
    name: proto.name,
    displayName: proto.displayName,
    durationsSeconds: proto.durations.map((duration) => seconds(duration, 0)),
    anyOf: proto.anyOf,
    allOf: proto.allOf,
    requiresApproval: proto.requiresApproval,
    capacity: Math.max(proto.capacity, 1),
    holdSeconds: seconds(proto.holdDuration, HOLD_SECONDS),
    noticeSeconds: seconds(proto.minimumNotice, 0),
    horizonSeconds: seconds(proto.horizon, HORIZON_SECONDS),
    cancellationNoticeSeconds: seconds(proto.cancellationNotice, 0),
    offerSeconds: seconds(proto.offerDuration, OFFER_SECONDS),
  };
}

export function date(timestamp: Timestamp | undefined): Date {
  return timestamp ? timestampDate(timestamp) : new Date(0);
}

export function millis(timestamp: Timestamp | undefined): number {
  return timestamp ? Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6 : 0;
}

export function seconds(duration: Duration | undefined, absent: number): number {
  return duration ? Number(duration.seconds) + duration.nanos / 1e9 : absent;
}
