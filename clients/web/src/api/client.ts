/** The calls of one visitor to one business. */

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  AvailabilityService,
  type WatchAvailabilityResponse,
} from "../gen/slotcast/v1/availability_service_pb.js";
import { BookingService, type Hold as HoldProto } from "../gen/slotcast/v1/booking_service_pb.js";
import { CatalogService } from "../gen/slotcast/v1/catalog_service_pb.js";
import { bookingOf, holdOf, prefilledOf, typeOf } from "./convert.js";
import type {
  Booking,
  Calendar,
  Catalog,
  Customer,
  Details,
  Handoff,
  Hold,
  Hours,
  SlotChoice,
  SlotQuery,
  Wish,
} from "./model.js";
import { persist } from "./persist.js";
import { CallFailed, callFailed, unreachable } from "./problem.js";
import { ServerClock } from "./serverClock.js";
import { newVisitor } from "./visitor.js";

export { CallFailed, callFailed } from "./problem.js";

const PAGE_SIZE = 500;
const PAGES_MAX = 10;
const CALL_MS = 15_000;
/** As many as a ticket may carry. */
const FIELDS_MAX = 40;

export interface SlotcastOptions {
  /** Where the gateway is, such as `https://book.salon.example`; empty: where the page is from. */
  readonly url: string;
  /** A key that may do what a page does: `availability.read`, `catalog.read`, `bookings.write`. */
  readonly apiKey: string;
  /** The business, by its id or its name `businesses/…`. */
  readonly business: string;
  /** Whose holds are one's own. Absent: somebody new. */
  readonly holder?: string | undefined;
  /** Absent: grpc-web to `url`. */
  readonly transport?: Transport | undefined;
}

/** Every method throws CallFailed; what may be sent again has been, with the same request id. */
export interface Slotcast {
  readonly business: string;
  readonly holder: string;
  readonly clock: ServerClock;
  catalog(signal?: AbortSignal): Promise<Catalog>;
  /** When the calendars are open. */
  hours(signal: AbortSignal): Promise<Hours>;
  hold(choice: SlotChoice, requestId: string): Promise<Hold>;
  renew(hold: Hold, requestId: string): Promise<Hold>;
  /** `leaving`: the page goes; it is sent all the same, once. */
  release(hold: Hold, requestId: string, leaving: boolean): Promise<void>;
  book(hold: Hold, details: Details, requestId: string): Promise<Booking>;
  /** Takes over what a chat has held; again for the same holder, as after the page was loaded anew. */
  redeem(ticket: string, requestId: string): Promise<Handoff>;
  /** Waits for a slot: who waits is written to when one is free. */
  wait(wish: Wish, customer: Customer, requestId: string): Promise<void>;
  /** One stream of frames, from `resumeToken` on where there is one. It is not opened anew. */
  openWatch(
    query: SlotQuery,
    resumeToken: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchAvailabilityResponse>;
}

export function createSlotcast(options: SlotcastOptions): Slotcast {
  const holder = options.holder || newVisitor();
  const clock = new ServerClock();
  const transport = options.transport ?? grpcWeb(options, holder, clock, false);
  return new Calls(
    fullName(options.business, "businesses"),
    holder,
    clock,
    createClient(AvailabilityService, transport),
    createClient(BookingService, transport),
    createClient(BookingService, options.transport ?? grpcWeb(options, holder, clock, true)),
    createClient(CatalogService, transport),
  );
}

/** `haircut` as `businesses/demo/appointmentTypes/haircut`; what is a name already stays. */
export function fullName(idOrName: string, collection: string): string {
  return idOrName === "" || idOrName.includes("/") ? idOrName : `${collection}/${idOrName}`;
}

export function grpcWeb(
  options: Pick<SlotcastOptions, "url" | "apiKey">,
  holder: string,
  clock: ServerClock,
  keepalive: boolean,
): Transport {
  const authenticate: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${options.apiKey}`);
    request.header.set("x-client-id", holder);
    return next(request);
  };
  return createGrpcWebTransport({
    // On a server nothing is called; there is no page that it would be from.
    baseUrl: options.url || (globalThis.location?.origin ?? "http://localhost"),
    interceptors: [authenticate, tellsTime(clock)],
    fetch: (input, init) => globalThis.fetch(input, { ...init, keepalive, cache: "no-store" }),
  });
}

/** The gateway says with each answer what time it is: a form, which no stream tells, needs that too. */
export function tellsTime(clock: ServerClock): Interceptor {
  return (next) => async (request) => {
    const answer = await next(request);
    const dateMs = Date.parse(answer.header.get("date") ?? "");
    // It is in whole seconds: by it a hold may seem to end too early, never too late.
    if (dateMs > 0) clock.told(dateMs + 999);
    return answer;
  };
}

class Calls implements Slotcast {
  constructor(
    readonly business: string,
    readonly holder: string,
    readonly clock: ServerClock,
    private readonly availability: Client<typeof AvailabilityService>,
    private readonly bookings: Client<typeof BookingService>,
    private readonly lastWords: Client<typeof BookingService>,
    private readonly catalogs: Client<typeof CatalogService>,
  ) {}

  async catalog(signal?: AbortSignal): Promise<Catalog> {
    const [answer, types, calendars] = await Promise.all([
      persist(CALL_MS, (call) =>
        this.catalogs.getBusiness({ name: this.business }, { ...call, ...withSignal(signal) }),
      ),
      allPages((page) =>
        persist(CALL_MS, (call) =>
          this.catalogs.listAppointmentTypes(
            { parent: this.business, ...page },
            { ...call, ...withSignal(signal) },
          ),
        ),
      ),
      allPages((page) =>
        persist(CALL_MS, (call) =>
          this.catalogs.listCalendars(
            { parent: this.business, ...page },
            { ...call, ...withSignal(signal) },
          ),
        ),
      ),
    ]);
    const { displayName = "", email = "", phone = "", location = "" } = answer.business ?? {};
    return {
      businessName: displayName,
      contact: { email, phone, location },
      types: types.flatMap((page) => page.appointmentTypes).map(typeOf),
      calendars: new Map(
        calendars
          .flatMap((page) => page.calendars)
          .map(({ name, displayName, timeZone, schedule }): [string, Calendar] => [
            name,
            { name, displayName, timeZone, schedule },
          ]),
      ),
    };
  }

  async hours(signal: AbortSignal): Promise<Hours> {
    const parent = this.business;
    const [schedules, closures] = await Promise.all([
      allPages((page) =>
        persist(CALL_MS, (call) =>
          this.catalogs.listSchedules({ parent, ...page }, { ...call, signal }),
        ),
      ),
      allPages((page) =>
        persist(CALL_MS, (call) =>
          this.catalogs.listClosures({ parent, ...page }, { ...call, signal }),
        ),
      ),
    ]);
    return {
      schedules: schedules.flatMap((page) => page.schedules),
      closures: closures.flatMap((page) => page.closures),
    };
  }

  async hold(choice: SlotChoice, requestId: string): Promise<Hold> {
    const request = {
      parent: this.business,
      requestId,
      holder: this.holder,
      slot: {
        appointmentType: choice.appointmentType,
        calendar: choice.calendar,
        startTime: timestampFromDate(choice.start),
        duration: { seconds: BigInt(choice.durationSeconds) },
      },
    };
    const answer = await persist(CALL_MS, (call) => this.bookings.holdSlot(request, call));
    return held(answer);
  }

  async renew(hold: Hold, requestId: string): Promise<Hold> {
    const request = { name: hold.name, requestId };
    return held(await persist(CALL_MS, (call) => this.bookings.renewHold(request, call)));
  }

  async release(hold: Hold, requestId: string, leaving: boolean): Promise<void> {
    const request = { name: hold.name, requestId };
    if (leaving) await this.lastWords.releaseHold(request).catch(rethrow);
    else await persist(CALL_MS, (call) => this.bookings.releaseHold(request, call));
  }

  async book(hold: Hold, details: Details, requestId: string): Promise<Booking> {
    const request = {
      parent: this.business,
      requestId,
      holder: this.holder,
      appointments: [{ choice: { case: "hold" as const, value: hold.name } }],
      customer: details.customer,
      fields: details.fields,
    };
    const answer = await persist(CALL_MS, (call) => this.bookings.book(request, call));
    const booking = answer.bookings[0];
    if (!booking) throw new CallFailed(unreachable("The answer has no booking."));
    return bookingOf(booking);
  }

  async redeem(ticket: string, requestId: string): Promise<Handoff> {
    const request = { parent: this.business, ticket, requestId, holder: this.holder };
    const answer = await persist(CALL_MS, (call) => this.bookings.redeemHandoff(request, call));
    return { hold: held(answer), fields: answer.fields.slice(0, FIELDS_MAX).map(prefilledOf) };
  }

  async wait(wish: Wish, customer: Customer, requestId: string): Promise<void> {
    const request = {
      parent: this.business,
      requestId,
      holder: this.holder,
      appointmentType: wish.appointmentType,
      calendars: [...wish.calendars],
      windows: [{ startTime: timestampFromDate(wish.start), endTime: timestampFromDate(wish.end) }],
      duration: { seconds: BigInt(wish.durationSeconds) },
      customer,
    };
    await persist(CALL_MS, (call) => this.bookings.joinWaitlist(request, call));
  }

  openWatch(
    query: SlotQuery,
    resumeToken: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchAvailabilityResponse> {
    const request = {
      parent: this.business,
      appointmentTypes: [...query.appointmentTypes],
      calendars: [...query.calendars],
      startTime: timestampFromDate(query.start),
      endTime: timestampFromDate(query.end),
      ...(query.durationSeconds && { duration: { seconds: BigInt(query.durationSeconds) } }),
      holder: this.holder,
      resumeToken,
    };
    return this.availability.watchAvailability(request, { signal });
  }
}

function held(answer: { hold?: HoldProto | undefined }): Hold {
  if (!answer.hold) throw new CallFailed(unreachable("The answer has no hold."));
  return holdOf(answer.hold);
}

function rethrow(error: unknown): never {
  throw callFailed(error);
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

async function allPages<Page extends { nextPageToken: string }>(
  read: (page: { pageSize: number; pageToken: string }) => Promise<Page>,
): Promise<Page[]> {
  const pages: Page[] = [];
  let pageToken = "";
  do {
    const page = await read({ pageSize: PAGE_SIZE, pageToken });
    pages.push(page);
    pageToken = page.nextPageToken;
  } while (pageToken && pages.length < PAGES_MAX);
  return pages;
}
