/** The calls that a letter's link allows. Each throws CallFailed; what may be sent again has been. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createClient, type Transport } from "@connectrpc/connect";
import { createSlotcast, grpcWeb, type Slotcast } from "../../src/api/client.js";
import { bookingOf, date, holdOf } from "../../src/api/convert.js";
import type { Booking, Hold, SlotChoice } from "../../src/api/model.js";
import { persist } from "../../src/api/persist.js";
import { CallFailed, unreachable } from "../../src/api/problem.js";
import {
  type Booking as BookingProto,
  BookingService,
  BookingStatus,
  type Customer,
  type WaitlistEntry,
  WaitlistEntry_Status,
} from "../../src/gen/slotcast/v1/booking_service_pb.js";
import type { Link } from "./link.js";

const CALL_MS = 15_000;

/** A booking whose customer has come by a link. */
export interface OwnBooking extends Booking {
  /** Sent back with each change, so that nothing is changed that was not seen. */
  readonly version: bigint;
  /** That of the calendar. */
  readonly timeZone: string;
  /** That of the letters; may be empty. */
  readonly language: string;
}

/** What one waits for. */
export interface OwnEntry {
  readonly name: string;
  readonly appointmentType: string;
  /** Null: nothing is offered to them, as yet. */
  readonly offer: Offer | null;
  readonly language: string;
  readonly customer: Customer | undefined;
  readonly holder: string;
}

/** A time that is offered to one who waits. */
export interface Offer extends Hold {
  /** Until when it is kept for them. */
  readonly until: Date;
}

/** What it is about must still stand: else it throws CAPABILITY_ENDED, as the service soon will. */
export interface Desk {
  readonly link: Link;
  /** The catalogue and the live slots, by the same link. */
  readonly slotcast: Slotcast;
  booking(): Promise<OwnBooking>;
  move(booking: OwnBooking, to: SlotChoice, requestId: string): Promise<OwnBooking>;
  cancel(booking: OwnBooking, reason: string, requestId: string): Promise<OwnBooking>;
  entry(): Promise<OwnEntry>;
  take(entry: OwnEntry, offer: Offer, requestId: string): Promise<OwnBooking>;
  leave(requestId: string): Promise<void>;
}

/** `transport` absent: grpc-web to where the page is from. */
export function createDesk(link: Link, transport?: Transport): Desk {
  const options = { url: "", apiKey: link.token, business: link.business };
  const slotcast = createSlotcast({ ...options, transport });
  const client = createClient(
    BookingService,
    transport ?? grpcWeb(options, slotcast.holder, slotcast.clock, false),
  );
  const { name, business } = link;
  return {
    link,
    slotcast,
    async booking() {
      const answer = await persist(CALL_MS, (call) => client.getBooking({ name }, call));
      const status = answer.booking?.status ?? BookingStatus.UNSPECIFIED;
      if (!STANDING.has(status)) throw ended(BookingStatus[status]);
      return own(answer);
    },
    async move({ version }, choice, requestId) {
      const slot = {
        appointmentType: choice.appointmentType,
        calendar: choice.calendar,
        startTime: timestampFromDate(choice.start),
        duration: { seconds: BigInt(choice.durationSeconds) },
      };
      const to = { choice: { case: "slot" as const, value: slot } };
      const request = { name, version, requestId, to };
      return own(await persist(CALL_MS, (call) => client.rescheduleBooking(request, call)));
    },
    async cancel({ version }, reason, requestId) {
      const request = { name, version, requestId, reason };
      return own(await persist(CALL_MS, (call) => client.cancelBooking(request, call)));
    },
    async entry() {
      const { entry } = await persist(CALL_MS, (call) => client.getWaitlistEntry({ name }, call));
      const status = entry?.status ?? WaitlistEntry_Status.UNSPECIFIED;
      if (!entry || !LIVE.has(status)) throw ended(WaitlistEntry_Status[status]);
      return entryOf(entry);
    },
    async take({ customer, holder }, offer, requestId) {
      const request = {
        parent: business,
        requestId,
        holder,
        appointments: [{ choice: { case: "hold" as const, value: offer.name } }],
        ...(customer && { customer }),
      };
      const answer = await persist(CALL_MS, (call) => client.book(request, call));
      return own({ booking: answer.bookings[0] });
    },
    async leave(requestId) {
      await persist(CALL_MS, (call) => client.leaveWaitlist({ name, requestId }, call));
    },
  };
}

function own({ booking }: { booking?: BookingProto | undefined }): OwnBooking {
  if (!booking) throw new CallFailed(unreachable("The answer has no booking."));
  const { version, timeZone, customer } = booking;
  return { ...bookingOf(booking), version, timeZone, language: customer?.language ?? "" };
}

const STANDING: ReadonlySet<BookingStatus> = new Set([
  BookingStatus.PENDING,
  BookingStatus.CONFIRMED,
]);

const LIVE: ReadonlySet<WaitlistEntry_Status> = new Set([
  WaitlistEntry_Status.WAITING,
  WaitlistEntry_Status.OFFERED,
]);

function ended(status = ""): CallFailed {
  return new CallFailed({
    ...unreachable(`It has ended: ${status}.`),
    reason: "CAPABILITY_ENDED",
    retryable: false,
    mayBeDone: false,
    metadata: { status },
  });
}

function entryOf(proto: WaitlistEntry): OwnEntry {
  const { offer } = proto;
  return {
    name: proto.name,
    appointmentType: proto.appointmentType,
    offer: offer ? { ...holdOf(offer), until: date(proto.offerExpireTime) } : null,
    language: proto.customer?.language ?? "",
    customer: proto.customer,
    holder: proto.holder,
  };
}
