/** A small service behind the real client, and the widget before it. Slots are named by hour and minute. */
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { render, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.js";
import {
  AvailabilityService,
  type WatchAvailabilityResponse,
  WatchAvailabilityResponseSchema,
} from "../../src/gen/slotcast/v1/availability_service_pb.js";
import {
  BookingService,
  BookingStatus,
  type BookRequest,
  type HoldSlotRequest,
  type JoinWaitlistRequest,
  PrefilledField_Provenance,
  type RedeemHandoffRequest,
} from "../../src/gen/slotcast/v1/booking_service_pb.js";
import { CatalogService } from "../../src/gen/slotcast/v1/catalog_service_pb.js";
import { type Slot, SlotSchema } from "../../src/gen/slotcast/v1/core_pb.js";
import { AlternativesSchema } from "../../src/gen/slotcast/v1/error_reason_pb.js";
import { SlotcastBooking, type SlotcastBookingProps } from "../../src/widget/SlotcastBooking.js";
import { Stream } from "../live/service.js";
import { NOW } from "./now.js";

const HOLD_MS = 300_000;
const STALE_AFTER_MS = 12_000;

export const BUSINESS = "businesses/salon";
const type = (id: string) => `${BUSINESS}/appointmentTypes/${id}`;
const calendar = (id: string) => `${BUSINESS}/calendars/${id}`;

export interface SlotOptions {
  type?: string;
  calendar?: string;
  seats?: number;
  day?: string;
}

/** A slot at a time of Berlin's winter, on Tuesday the 8th if nothing else is said. */
export function slot(time: string, options: SlotOptions = {}): Slot {
  const start = new Date(`${options.day ?? "2030-01-08"}T${time}:00+01:00`);
  return create(SlotSchema, {
    appointmentType: type(options.type ?? "haircut"),
    calendar: calendar(options.calendar ?? "anna"),
    startTime: timestampFromDate(start),
    endTime: timestampFromDate(new Date(start.getTime() + 1_800_000)),
    seatsLeft: options.seats ?? 1,
  });
}

export interface Refusal {
  metadata?: Record<string, string>;
  alternatives?: Slot[];
  fields?: { field: string; description: string }[];
  code?: Code;
  retryAfterMs?: number;
}

export function refusal(
  reason: string,
  { metadata = {}, alternatives, fields, code, retryAfterMs }: Refusal = {},
): ConnectError {
  const info = create(ErrorInfoSchema, { reason, domain: "slotcast.dev", metadata });
  return new ConnectError("Refused.", code ?? Code.FailedPrecondition, undefined, [
    { desc: ErrorInfoSchema, value: info },
    ...(retryAfterMs
      ? [{ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryAfterMs) } }]
      : []),
    ...(alternatives ? [{ desc: AlternativesSchema, value: { slots: alternatives } }] : []),
    ...(fields ? [{ desc: BadRequestSchema, value: { fieldViolations: fields } }] : []),
  ]);
}

export class Salon {
  readonly streams: Stream[] = [];
  readonly holds: HoldSlotRequest[] = [];
  readonly bookings: BookRequest[] = [];
  readonly wishes: JoinWaitlistRequest[] = [];
  readonly released: string[] = [];
  readonly redemptions: RedeemHandoffRequest[] = [];
  readonly redeemedHold = `${BUSINESS}/holds/redeemed`;
  /** What a ticket brings: `said` and `guessed`, by name. */
  said: Record<string, string> = {};
  guessed: Record<string, string> = {};
  businessName = "Salon Anna";
  holdMs = HOLD_MS;
  /** When the appointments may start. */
  rules = { minimumNotice: durationFromMs(0), horizon: durationFromMs(60 * 86_400_000) };
  catalogProblem: ConnectError | null = null;
  /** When it is open, of all calendars; null: the key may not read that. */
  hours: { weekly: { weekday: number; start: string; end: string }[] } | null = null;
  hoursAsked = 0;
  /** Called before the hours are told. */
  onHours: () => Promise<void> | void = () => undefined;
  holdProblem: ConnectError | null = null;
  waitProblem: ConnectError | null = null;
  redeemProblem: ConnectError | null = refusal("NOT_IMPLEMENTED", { code: Code.Unimplemented });
  /** Called before a booking is answered. */
  onBook: () => Promise<void> | void = () => undefined;
  /** Called before a wish is answered. */
  onWait: () => Promise<void> | void = () => undefined;
  #revision = 0;

  readonly transport = createRouterTransport(({ service }) => {
    service(CatalogService, {
      getBusiness: () => this.#business(),
      listAppointmentTypes: () => ({
        appointmentTypes: TYPES.map((each) => ({ ...each, ...this.rules })),
      }),
      listCalendars: () => ({ calendars: CALENDARS }),
      listSchedules: () => this.#schedules(),
      listClosures: () => ({}),
    });
    service(AvailabilityService, {
      watchAvailability: (request, { signal }) => {
        const stream = new Stream(request, signal);
        this.streams.push(stream);
        return stream.frames();
      },
    });
    service(BookingService, {
      holdSlot: (request) => this.#hold(request),
      releaseHold: ({ name }) => {
        this.released.push(name);
        return {};
      },
      renewHold: ({ name }) => ({ hold: this.#holdOf(slot("10:00"), name) }),
      book: (request) => this.#book(request),
      joinWaitlist: async (request) => {
        this.wishes.push(request);
        await this.onWait();
        if (this.waitProblem) throw this.waitProblem;
        return {};
      },
      redeemHandoff: (request) => this.#redeem(request),
    });
  });

  /** The whole of what is open, on the newest stream. */
  async shows(slots: Slot[], options: { staleAfterMs?: number } = {}): Promise<void> {
    const stream = await waitFor(() => {
      const newest = this.streams.at(-1);
      if (!newest || newest.isCut) throw new Error("There is no stream.");
      return newest;
    });
    const revision = BigInt(++this.#revision);
    stream.send(
      this.#frame({ case: "snapshotChunk", value: { slots } }, revision, { ...options, token: "" }),
      this.#frame({ case: "snapshotEnd", value: { openSlots: slots.length } }, revision, options),
    );
  }

  /** What has changed since. */
  changes(change: { closed?: Slot[]; opened?: Slot[] }): void {
    const { closed = [], opened = [] } = change;
    const keys = closed.map(({ appointmentType, calendar, startTime, endTime }) => ({
      appointmentType,
      calendar,
      ...(startTime && { startTime }),
      ...(endTime && { endTime }),
    }));
    const value = { closed: keys, opened };
    this.streams.at(-1)?.send(this.#frame({ case: "delta", value }, BigInt(++this.#revision)));
  }

  #frame(
    frame: NonNullable<
      Parameters<typeof create<typeof WatchAvailabilityResponseSchema>>[1]
    >["frame"],
    revision: bigint,
    { staleAfterMs = STALE_AFTER_MS, token = `token-${revision}` } = {},
  ): WatchAvailabilityResponse {
    return create(WatchAvailabilityResponseSchema, {
      revision,
      asOf: timestampFromDate(new Date()),
      staleAfter: durationFromMs(staleAfterMs),
      resumeToken: token,
      ...(frame && { frame }),
    });
  }

  #business() {
    if (this.catalogProblem) throw this.catalogProblem;
    return { business: { name: BUSINESS, displayName: this.businessName } };
  }

  async #schedules() {
    this.hoursAsked++;
    await this.onHours();
    if (!this.hours) throw refusal("SCOPE_MISSING", { code: Code.PermissionDenied });
    const weekly = this.hours.weekly.map(({ weekday, ...hours }) => ({
      weekday,
      intervals: [hours],
    }));
    return { schedules: [{ name: SCHEDULE, weekly }] };
  }

  #hold(request: HoldSlotRequest) {
    this.holds.push(request);
    if (this.holdProblem) throw this.holdProblem;
    const { startTime, calendar: wanted, appointmentType } = request.slot ?? {};
    const start = startTime ? timestampDate(startTime) : NOW;
    const held = create(SlotSchema, {
      appointmentType: appointmentType ?? "",
      calendar: wanted || calendar("anna"),
      startTime: timestampFromDate(start),
      endTime: timestampFromDate(new Date(start.getTime() + 1_800_000)),
    });
    return { hold: this.#holdOf(held, `${BUSINESS}/holds/${this.holds.length}`) };
  }

  #holdOf({ appointmentType, calendar, startTime, endTime }: Slot, name: string) {
    return {
      name,
      appointmentType,
      calendars: [calendar],
      ...(startTime && { startTime }),
      ...(endTime && { endTime }),
      expireTime: timestampFromDate(new Date(Date.now() + this.holdMs)),
      holder: "visitor",
    };
  }

  #redeem(request: RedeemHandoffRequest) {
    this.redemptions.push(request);
    if (this.redeemProblem) throw this.redeemProblem;
    const prefilled = (fields: Record<string, string>, provenance: PrefilledField_Provenance) =>
      Object.entries(fields).map(([name, value]) => ({ name, value, provenance }));
    const { SAID, INFERRED } = PrefilledField_Provenance;
    return {
      hold: this.#holdOf(slot("11:00"), this.redeemedHold),
      fields: [...prefilled(this.said, SAID), ...prefilled(this.guessed, INFERRED)],
    };
  }

  async #book(request: BookRequest) {
    this.bookings.push(request);
    await this.onBook();
    const at = slot("10:00");
    return {
      bookings: [
        {
          name: `${BUSINESS}/bookings/1`,
          appointmentType: at.appointmentType,
          calendars: [at.calendar],
          ...(at.startTime && { startTime: at.startTime }),
          ...(at.endTime && { endTime: at.endTime }),
          status: BookingStatus.CONFIRMED,
        },
      ],
    };
  }
}

const COMMON = {
  holdDuration: durationFromMs(HOLD_MS),
  capacity: 1,
};
const minutes = (...all: number[]) => all.map((each) => durationFromMs(each * 60_000));

const TYPES = [
  {
    ...COMMON,
    name: type("haircut"),
    displayName: "Haircut",
    durations: minutes(30, 60),
    anyOf: [calendar("anna"), calendar("ben")],
  },
  {
    ...COMMON,
    name: type("colouring"),
    displayName: "Colouring",
    durations: minutes(120),
    anyOf: [calendar("anna")],
    requiresApproval: true,
  },
  {
    ...COMMON,
    name: type("class"),
    displayName: "Styling class",
    durations: minutes(60),
    allOf: [calendar("room")],
    capacity: 8,
  },
];

const SCHEDULE = `${BUSINESS}/schedules/daily`;
const CALENDARS = [
  { name: calendar("anna"), displayName: "Anna" },
  { name: calendar("ben"), displayName: "Ben" },
  { name: calendar("room"), displayName: "Room" },
].map((each) => ({ ...each, timeZone: "Europe/Berlin", schedule: SCHEDULE }));

/** The widget, and a visitor before it. */
export function visit(salon: Salon, props: Partial<SlotcastBookingProps> = {}) {
  const visitor = userEvent.setup();
  const view = render(
    <SlotcastBooking
      url=""
      apiKey="key"
      business="salon"
      language="en"
      timeZone="Europe/Berlin"
      hourCycle="h23"
      transport={salon.transport}
      {...props}
    />,
  );
  return { ...view, visitor };
}

/** At the times of a haircut with whoever is free. */
export async function atTimes(
  salon: Salon,
  slots: Slot[],
  props: Partial<SlotcastBookingProps> = {},
) {
  const visiting = visit(salon, props);
  await visiting.visitor.click(await screen.findByRole("button", { name: "Continue" }));
  await salon.shows(slots);
  return visiting;
}

/** At the form, with ten o'clock held. */
export async function atDetails(salon: Salon, props: Partial<SlotcastBookingProps> = {}) {
  const visiting = await atTimes(salon, [slot("10:00"), slot("10:30")], props);
  await visiting.visitor.click(await screen.findByRole("button", { name: "10:00" }));
  await screen.findByRole("heading", { name: "Your details" });
  return visiting;
}
