import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { AlternativesSchema } from "../gen/slotcast/v1/error_reason_pb.js";
import { seconds, slotOf } from "./convert.js";
import type { Slot } from "./model.js";

/** A refusal or a failure of a call, as the API tells it. */
export interface Problem {
  /** One of `protos/slotcast/v1/error_reason.proto`; UNREACHABLE: no service said anything. */
  readonly reason: string;
  /** True: the same request, with the same `request_id`, may well succeed later. */
  readonly retryable: boolean;
  readonly retryAfterMs: number;
  /** The service's own sentence, in English, for the console. */
  readonly message: string;
  /** Open slots instead, best first. */
  readonly alternatives: readonly Slot[];
  /** Which fields are wrong, by their path in the request. */
  readonly fields: readonly { readonly path: string; readonly message: string }[];
}

export class CallFailed extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem.message, { cause });
    this.name = "CallFailed";
    this.problem = problem;
  }
}

/** With these, and no reason given, asking again as before gets the same answer. */
const LASTING: ReadonlySet<Code> = new Set([
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.InvalidArgument,
  Code.NotFound,
  Code.OutOfRange,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
]);

/** Of these reasons, those after which the same may be asked again. */
const RETRYABLE: ReadonlySet<string> = new Set([
  "RATE_LIMITED",
  "REVISION_AHEAD",
  "TRY_AGAIN",
  "OVERLOADED",
]);

/** What a call threw, whatever it was. */
export function callFailed(error: unknown): CallFailed {
  if (error instanceof CallFailed) return error;
  const failure = ConnectError.from(error);
  const info = failure.findDetails(ErrorInfoSchema)[0];
  const reason = info?.domain === "slotcast.dev" ? info.reason : "";
  return new CallFailed(
    {
      reason: reason || (LASTING.has(failure.code) ? Code[failure.code] : "UNREACHABLE"),
      retryable: reason ? RETRYABLE.has(reason) : !LASTING.has(failure.code),
      retryAfterMs: 1000 * seconds(failure.findDetails(RetryInfoSchema)[0]?.retryDelay, 0),
      message: failure.rawMessage,
      alternatives: failure
        .findDetails(AlternativesSchema)
        .flatMap((each) => each.slots.map(slotOf)),
      fields: failure
        .findDetails(BadRequestSchema)
        .flatMap((each) => each.fieldViolations)
        .map(({ field, description }) => ({ path: field, message: description })),
    },
    error,
  );
}

/** A problem of the way to the service, told before anything was sent. */
export function unreachable(message: string): Problem {
  return {
    reason: "UNREACHABLE",
    retryable: true,
    retryAfterMs: 0,
    message,
    alternatives: [],
    fields: [],
  };
}
