// @vitest-environment jsdom
/** W5 under faults at random: what is offered was true within stale_after, and all heals in time. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keyOf } from "../../src/api/convert.js";
import {
  type WatchAvailabilityResponse,
  WatchAvailabilityResponseSchema,
} from "../../src/gen/slotcast/v1/availability_service_pb.js";
import type { Slot as SlotProto } from "../../src/gen/slotcast/v1/core_pb.js";
import { watchSlots } from "../../src/live/watch.js";
import { aSlot, delta, heartbeat, STALE_AFTER_MS, snapshot } from "./frames.js";
import { QUERY, Service, type Stream } from "./service.js";
import { holdTime, pass, settle, sleep } from "./time.js";

const HEALS_MS = 5_000;
const STEP_MS = 50;
const HEARTBEAT_MS = 5_000;
const SLOTS = Array.from({ length: 6 }, (_, number) => aSlot(number));

beforeEach(holdTime);
afterEach(() => void vi.useRealTimers());

interface Told {
  revision: number;
  readonly inFlight: WatchAvailabilityResponse[];
  /** Nothing comes any more, and nobody says so. */
  isLost: boolean;
}

/** A service that is right, behind a way to it that is not. The wall clock is the true time. */
class FaultyService extends Service {
  isJammed = false;
  isRefusing = false;
  readonly #truths: { readonly sinceMs: number; readonly slots: SlotProto[] }[] = [
    { sinceMs: Date.now(), slots: [...SLOTS, aSlot(SLOTS.length)] },
  ];
  readonly #told = new Map<Stream, Told>();
  #beatMs = Date.now();

  /** Each truth has a slot of its own, so that none comes again. */
  change(slots = this.#at(this.#revision).slice(0, -1)): void {
    const mark = aSlot(SLOTS.length + this.#revision);
    this.#truths.push({ sinceMs: Date.now(), slots: [...slots, mark] });
  }

  /** Sends what there is to send. */
  serve(): void {
    const isBeat = Date.now() - this.#beatMs >= HEARTBEAT_MS;
    if (isBeat) this.#beatMs = Date.now();
    for (const stream of this.streams) {
      if (stream.isCut) continue;
      if (this.isRefusing) stream.fail(Code.Unavailable);
      else this.#bringUpToDate(stream, isBeat);
    }
  }

  /** Lets one frame through of those that are jammed. */
  trickle(): void {
    const told = this.#told.get(this.last);
    if (told && !told.isLost) this.last.send(...told.inFlight.splice(0, 1));
  }

  loseStream(): void {
    const told = this.#told.get(this.last);
    if (told) told.isLost = true;
  }

  get isStreamLost(): boolean {
    return this.#told.get(this.last)?.isLost === true;
  }

  /** True: the slots were open, just these, at some moment since then. */
  wasTrueSince(sinceMs: number, keys: readonly string[]): boolean {
    return this.#truths.some(({ slots }, at) => {
      const untilMs = this.#truths[at + 1]?.sinceMs ?? Number.POSITIVE_INFINITY;
      return untilMs >= sinceMs && String(slots.map(keyOf)) === String(keys);
    });
  }

  get #revision(): number {
    return this.#truths.length;
  }

  #at(revision: number): SlotProto[] {
    return this.#truths[revision - 1]?.slots ?? [];
  }

  #bringUpToDate(stream: Stream, isBeat: boolean): void {
    const told = this.#told.get(stream) ?? this.#begin(stream);
    if (told.revision < this.#revision) told.inFlight.push(...this.#since(told.revision));
    else if (isBeat) told.inFlight.push(now(heartbeat(this.#revision, this.#at(this.#revision))));
    told.revision = this.#revision;
    if (!this.isJammed && !told.isLost) stream.send(...told.inFlight.splice(0));
  }

  #begin(stream: Stream): Told {
    const revision = Number(stream.request.resumeToken.replace("token-", ""));
    const told: Told = { revision: this.#revision, inFlight: this.#since(revision), isLost: false };
    this.#told.set(stream, told);
    return told;
  }

  #since(revision: number): WatchAvailabilityResponse[] {
    const slots = this.#at(this.#revision);
    if (revision === 0) return snapshot(this.#revision, slots, 2).map(now);
    const before = this.#at(revision);
    const closed = before.filter((slot) => !slots.includes(slot));
    const opened = slots.filter((slot) => !before.includes(slot));
    return [now(delta(this.#revision, { closed, opened }))];
  }
}

function now(frame: WatchAvailabilityResponse): WatchAvailabilityResponse {
  return create(WatchAvailabilityResponseSchema, { ...frame, asOf: timestampFromMs(Date.now()) });
}

const faults = fc.oneof(
  fc.subarray(SLOTS).map((slots) => ({ change: slots })),
  fc.integer({ min: 1, max: 15_000 }).map((ms) => ({ pass: ms })),
  fc.constantFrom(1_000, 13_000, 3_600_000).map((ms) => ({ sleep: ms })),
  fc.constantFrom(
    "jam",
    "trickle",
    "unjam",
    "refuse",
    "accept",
    "break",
    "lose",
    "goes offline",
    "wakes up",
  ),
);

type Fault = typeof faults extends fc.Arbitrary<infer Kind> ? Kind : never;

async function happen(fault: Fault, service: FaultyService): Promise<void> {
  service.change();
  if (typeof fault === "object") {
    if ("change" in fault) service.change(fault.change);
    else if ("sleep" in fault) sleep(fault.sleep);
    else await passServing(service, fault.pass);
  } else if (fault === "jam") service.isJammed = true;
  else if (fault === "trickle") service.trickle();
  else if (fault === "lose") service.loseStream();
  else if (fault === "unjam") service.isJammed = false;
  else if (fault === "refuse") service.isRefusing = true;
  else if (fault === "accept") service.isRefusing = false;
  else if (fault === "break") service.last.fail(Code.Unavailable);
  else window.dispatchEvent(new Event(fault === "wakes up" ? "pageshow" : "offline"));
}

async function passServing(service: FaultyService, ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
    await pass(Math.min(leftMs, 1_000));
    service.change();
    service.serve();
  }
}

test("whatever happens, no slot is offered that was not open within stale_after, and then it heals", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(faults, { maxLength: 30 }), async (happenings) => {
      const service = new FaultyService();
      const view = watchSlots(service.slotcast, QUERY);
      const shown = () => view.view().slots.map((slot) => slot.key);
      const check = () => {
        if (!view.isFresh()) return;
        expect(service.wasTrueSince(Date.now() - STALE_AFTER_MS, shown())).toBe(true);
      };
      try {
        await settle();
        service.serve();
        for (const fault of happenings) {
          await happen(fault, service);
          check();
          service.serve();
          await settle();
          check();
        }
        service.isJammed = service.isRefusing = false;
        service.change();
        const noticesMs = service.isStreamLost ? STALE_AFTER_MS : 0;
        const isLoading = view.view().freshness === "loading";
        const healsMs = noticesMs + (isLoading ? 3 * HEALS_MS : HEALS_MS);
        for (let ms = 0; ms < healsMs; ms += STEP_MS) {
          service.serve();
          await pass(STEP_MS);
        }
        expect(view.isFresh()).toBe(true);
        expect(service.wasTrueSince(Date.now(), shown())).toBe(true);
      } finally {
        view.close();
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
