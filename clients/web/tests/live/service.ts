/** A service whose streams a test writes itself, frame by frame, behind the real client. */
import { create } from "@bufbuild/protobuf";
import { type Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { createSlotcast } from "../../src/api/client.js";
import type { SlotQuery } from "../../src/api/model.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import {
  AvailabilityService,
  type WatchAvailabilityRequest,
  type WatchAvailabilityResponse,
} from "../../src/gen/slotcast/v1/availability_service_pb.js";
import { DAY_MS } from "./frames.js";

export const QUERY: SlotQuery = {
  appointmentTypes: ["businesses/salon/appointmentTypes/cut"],
  calendars: [],
  start: new Date(DAY_MS),
  end: new Date(DAY_MS + 86_400_000),
};

export class Service {
  /** Every stream that was asked for, in order. */
  readonly streams: Stream[] = [];
  readonly slotcast = createSlotcast({
    url: "",
    apiKey: "key",
    business: "salon",
    holder: "visitor-1",
    transport: createRouterTransport(({ service }) =>
      service(AvailabilityService, {
        watchAvailability: (request, { signal }) => {
          const stream = new Stream(request, signal);
          this.streams.push(stream);
          return stream.frames();
        },
      }),
    ),
  });

  get last(): Stream {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error("No stream was asked for.");
    return stream;
  }
}

export class Stream {
  readonly #waiting: (() => WatchAvailabilityResponse | null)[] = [];
  #wake: () => void = () => undefined;

  constructor(
    readonly request: WatchAvailabilityRequest,
    readonly signal: AbortSignal,
  ) {}

  get isCut(): boolean {
    return this.signal.aborted;
  }

  send(...frames: WatchAvailabilityResponse[]): void {
    for (const frame of frames) this.#say(() => frame);
  }

  end(): void {
    this.#say(() => null);
  }

  fail(code: Code, reason = ""): void {
    const info = create(ErrorInfoSchema, { reason, domain: "slotcast.dev" });
    const details = reason ? [{ desc: ErrorInfoSchema, value: info }] : [];
    this.#say(() => {
      throw new ConnectError("Refused.", code, undefined, details);
    });
  }

  async *frames(): AsyncGenerator<WatchAvailabilityResponse> {
    while (true) {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        const frame = next();
        if (!frame) return;
        yield frame;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #say(what: () => WatchAvailabilityResponse | null): void {
    this.#waiting.push(what);
    this.#wake();
  }
}
