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
  /** True: what was asked for may have been done all the same, by this attempt or one before it. */
  readonly mayBeDone: boolean;
  readonly retryAfterMs: number;
  /** The service's own sentence, in English, for the console. */
  readonly message: string;
  /** What the reason says more, by the names that the protos give. */
  readonly metadata: Readonly<Record<string, string>>;
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

/** Of these: it is not known what came of it. */
const UNKNOWN: ReadonlySet<string> = new Set(["UNREACHABLE", "TRY_AGAIN", "INTERNAL"]);

/** What a call threw, whatever it was. */
export function callFailed(error: unknown): CallFailed {
  if (error instanceof CallFailed) return error;
  const failure = ConnectError.from(error);
  const info = failure.findDetails(ErrorInfoSchema)[0];
  const told = info?.domain === "slotcast.dev" ? info.reason : "";
  const reason = told || (LASTING.has(failure.code) ? Code[failure.code] : "UNREACHABLE");
  return new CallFailed(
    {
      reason,
      retryable: told ? RETRYABLE.has(told) : !LASTING.has(failure.code),
      mayBeDone: UNKNOWN.has(reason),
      retryAfterMs: 1000 * seconds(failure.findDetails(RetryInfoSchema)[0]?.retryDelay, 0),
      message: failure.rawMessage,
      metadata: told ? (info?.metadata ?? {}) : {},
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

/** The problem of the last of several attempts at one request, of which `before` was known. */
export function after(before: Problem | null, last: Problem): Problem {
  return before?.mayBeDone && !isDecided(last) ? { ...last, mayBeDone: true } : last;
}

/** True: the service has looked at the request itself, and so at what became of it before. */
function isDecided({ retryable, reason }: Problem): boolean {
  return !retryable && !reason.startsWith("KEY_") && reason !== "SCOPE_MISSING";
}

/** A problem of the way to the service, told before anything was sent. */
export function unreachable(message: string): Problem {
  return {
    reason: "UNREACHABLE",
    retryable: true,
    mayBeDone: true,
    retryAfterMs: 0,
    message,
    metadata: {},
    alternatives: [],
    fields: [],
  };
}
