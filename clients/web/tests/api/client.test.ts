import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type ServiceImpl,
} from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CallFailed, createSlotcast, fullName, tellsTime } from "../../src/api/client.js";
import { persist } from "../../src/api/persist.js";
import { ServerClock } from "../../src/api/serverClock.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.js";
import {
  BookingService,
  PrefilledField_Provenance,
} from "../../src/gen/slotcast/v1/booking_service_pb.js";
import { CatalogService } from "../../src/gen/slotcast/v1/catalog_service_pb.js";
import { AlternativesSchema } from "../../src/gen/slotcast/v1/error_reason_pb.js";
import { aSlot, DETAILS, SLOT } from "../booking/desk.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const CHOICE = { ...SLOT, durationSeconds: 1800 };
const HOLD = { name: "businesses/demo/holds/1", slot: SLOT, expire: new Date(0) };

function aVisitor(
  bookings: Partial<ServiceImpl<typeof BookingService>>,
  catalogs: Partial<ServiceImpl<typeof CatalogService>> = {},
) {
  const transport = createRouterTransport((router) => {
    router.service(BookingService, bookings);
    router.service(CatalogService, catalogs);
  });
  return createSlotcast({ url: "", apiKey: "", business: "demo", holder: "visitor-17", transport });
}

function refusal(code: Code, reason: string): ConnectError {
  return new ConnectError("A sentence.", code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "slotcast.dev" } },
  ]);
}

async function problemOf(call: Promise<unknown>) {
  const caught = call.then(
    () => undefined,
    (error: unknown) => error,
  );
  await vi.runAllTimersAsync();
  const error = await caught;
  if (!(error instanceof CallFailed)) throw new Error("It did not fail as calls do.");
  return error.problem;
}

test("a refusal comes with its reason, its sentence, its alternatives and its fields", async () => {
  const slot = create(AlternativesSchema, {
    slots: [
      {
        appointmentType: SLOT.appointmentType,
        calendar: SLOT.calendar,
        startTime: timestampFromDate(aSlot(10).start),
        endTime: timestampFromDate(aSlot(10).end),
        seatsLeft: 1,
      },
    ],
  });
  const visitor = aVisitor({
    holdSlot: () => {
      const error = refusal(Code.FailedPrecondition, "SLOT_TAKEN");
      error.details.push(
        { desc: AlternativesSchema, value: slot },
        {
          desc: BadRequestSchema,
          value: { fieldViolations: [{ field: "slot", description: "bad" }] },
        },
      );
      throw error;
    },
  });
  const problem = await problemOf(visitor.hold(CHOICE, "hold-1"));
  expect(problem).toMatchObject({
    reason: "SLOT_TAKEN",
    message: "A sentence.",
    retryable: false,
    fields: [{ path: "slot", message: "bad" }],
  });
  expect(problem.alternatives.map((each) => each.start)).toEqual([aSlot(10).start]);
});

test("what may be tried again is, with the same request id, and no sooner than it is asked for", async () => {
  const requests: { requestId: string; atMs: number }[] = [];
  const visitor = aVisitor({
    holdSlot: ({ requestId, slot, holder }) => {
      requests.push({ requestId, atMs: Date.now() });
      if (requests.length === 1) throw refusal(Code.Unavailable, "TRY_AGAIN");
      if (requests.length === 2) {
        const error = refusal(Code.ResourceExhausted, "RATE_LIMITED");
        error.details.push({ desc: RetryInfoSchema, value: { retryDelay: { seconds: 3n } } });
        throw error;
      }
      return { hold: { name: "holds/1", holder, appointmentType: slot?.appointmentType ?? "" } };
    },
  });
  const held = visitor.hold(CHOICE, "hold-1");
  await vi.runAllTimersAsync();
  expect((await held).name).toBe("holds/1");
  expect(requests.map((each) => each.requestId)).toEqual(["hold-1", "hold-1", "hold-1"]);
  const [, second, third] = requests;
  expect((third?.atMs ?? 0) - (second?.atMs ?? 0)).toBeGreaterThanOrEqual(3_000);
});

test("who cannot reach the service gives up after a while, and says that it may come right", async () => {
  let attempts = 0;
  const visitor = aVisitor({
    book: () => {
      attempts++;
      throw new TypeError("Failed to fetch");
    },
  });
  expect(await problemOf(visitor.book(HOLD, DETAILS, "book-1"))).toMatchObject({
    reason: "UNREACHABLE",
    retryable: true,
  });
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThan(30);
});

test("what one attempt may have done is not forgotten when the last one is told to wait", async () => {
  let attempts = 0;
  const visitor = aVisitor({
    book: () => {
      attempts++;
      if (attempts === 1) throw new TypeError("Failed to fetch");
      throw refusal(Code.ResourceExhausted, "RATE_LIMITED");
    },
  });
  const problem = await problemOf(visitor.book(HOLD, DETAILS, "book-1"));
  expect(problem).toMatchObject({ reason: "RATE_LIMITED", mayBeDone: true });
});

test("a refusal for good is not tried again", async () => {
  let attempts = 0;
  const visitor = aVisitor({
    book: () => {
      attempts++;
      throw refusal(Code.Unauthenticated, "KEY_INVALID");
    },
  });
  expect(await problemOf(visitor.book(HOLD, DETAILS, "book-1"))).toMatchObject({
    reason: "KEY_INVALID",
    retryable: false,
  });
  expect(attempts).toBe(1);
});

test("a booking carries the hold, the holder, the customer and the fields", async () => {
  const visitor = aVisitor({
    book: (request) => {
      expect(request.appointments[0]?.choice).toEqual({ case: "hold", value: HOLD.name });
      expect(request).toMatchObject({
        parent: "businesses/demo",
        holder: "visitor-17",
        fields: { note: "hello" },
      });
      return { bookings: [{ name: "bookings/1", status: 1 }] };
    },
  });
  const booking = await visitor.book(HOLD, { ...DETAILS, fields: { note: "hello" } }, "book-1");
  expect(booking).toMatchObject({ name: "bookings/1", status: "pending" });
});

test("a catalogue of several pages is read whole", async () => {
  const visitor = aVisitor(
    {},
    {
      getBusiness: ({ name }) => ({ business: { name, displayName: "Demo salon" } }),
      listAppointmentTypes: ({ pageToken }) => ({
        appointmentTypes: [
          { name: `types/${pageToken || "first"}`, durations: [{ seconds: 1800n }] },
        ],
        nextPageToken: pageToken ? "" : "second",
      }),
      listCalendars: () => ({ calendars: [{ name: "calendars/1", timeZone: "Europe/Berlin" }] }),
    },
  );
  const catalog = await visitor.catalog();
  expect(catalog.businessName).toBe("Demo salon");
  expect(catalog.types.map((each) => each.name)).toEqual(["types/first", "types/second"]);
  expect(catalog.types[0]).toMatchObject({
    durationsSeconds: [1800],
    holdSeconds: 300,
    capacity: 1,
  });
  expect(catalog.calendars.get("calendars/1")?.timeZone).toBe("Europe/Berlin");
});

test("a ticket is redeemed for the own holder; at most 40 fields come of it", async () => {
  const holders: string[] = [];
  const visitor = aVisitor({
    redeemHandoff: ({ holder }) => {
      holders.push(holder);
      const field = (index: number) => ({
        name: `field-${index}`,
        value: "x",
        provenance:
          index === 0 ? PrefilledField_Provenance.SAID : PrefilledField_Provenance.INFERRED,
      });
      return {
        hold: { name: HOLD.name },
        fields: Array.from({ length: 50 }, (_, at) => field(at)),
      };
    },
  });
  const { hold, fields } = await visitor.redeem("ticket", "redeem-1");
  expect(holders).toEqual(["visitor-17"]);
  expect(hold.name).toBe(HOLD.name);
  expect(fields).toHaveLength(40);
  expect(fields.slice(0, 2).map(({ isInferred }) => isInferred)).toEqual([false, true]);
});

test("a short id is a name in its collection", () => {
  expect(fullName("demo", "businesses")).toBe("businesses/demo");
  expect(fullName("businesses/demo", "businesses")).toBe("businesses/demo");
});

test("each answer says what time it is at most, also where the visitor's clock is wrong", async () => {
  vi.setSystemTime(Date.UTC(2030, 0, 7, 12));
  const clock = new ServerClock();
  const transport = createRouterTransport(
    (router) =>
      router.service(CatalogService, {
        getBusiness: (_, context) => {
          context.responseHeader.set("date", "Mon, 07 Jan 2030 09:00:00 GMT");
          return {};
        },
      }),
    { transport: { interceptors: [tellsTime(clock)] } },
  );
  await createClient(CatalogService, transport).getBusiness({});
  expect(clock.now()).toBe(Date.UTC(2030, 0, 7, 9, 0, 0, 999));
});

test("each attempt has a whole number of milliseconds, as gRPC wants it", async () => {
  const timeouts: number[] = [];
  const asked = persist(15_000, ({ timeoutMs }) => {
    timeouts.push(timeoutMs);
    vi.advanceTimersByTime(3_000.3);
    return Promise.reject(new TypeError("Failed to fetch"));
  });
  await expect(Promise.all([asked, vi.runAllTimersAsync()])).rejects.toThrow(CallFailed);
  expect(timeouts.length).toBeGreaterThan(2);
  expect(timeouts.every(Number.isInteger)).toBe(true);
});
