import type { Problem } from "../api/problem.js";
import type { PlainKey } from "../words/words.js";

const KEYS: Readonly<Record<string, PlainKey>> = {
  UNREACHABLE: "unreachable",
  TRY_AGAIN: "busy",
  OVERLOADED: "busy",
  RATE_LIMITED: "busy",
  REVISION_AHEAD: "busy",
  TOO_MANY_HOLDS: "tooManyHolds",
  TOO_MANY_WAITING: "tooManyWaiting",
  KEY_MISSING: "refused",
  KEY_INVALID: "refused",
  SCOPE_MISSING: "refused",
  RESOURCE_NOT_FOUND: "notBookable",
  NOT_IMPLEMENTED: "notBookable",
};

/** Why a ticket opens nothing: in its own words, as far as they are known. */
export function ticketKey({ reason, metadata }: Problem): PlainKey {
  switch (reason) {
    case "HANDOFF_INVALID":
    case "KEY_INVALID":
      return "ticketInvalid";
    case "HANDOFF_USED":
      return "ticketUsed";
    case "HANDOFF_ENDED":
    case "CAPABILITY_ENDED":
      return metadata["status"] === "BOOKED" ? "ticketBooked" : "ticketEnded";
    default:
      return "ticketRefused";
  }
}

/** What a visitor is told of a problem. */
export function problemKey(problem: Problem): PlainKey {
  const isOfTicket = problem.reason.startsWith("HANDOFF_") || problem.reason === "CAPABILITY_ENDED";
  return isOfTicket ? ticketKey(problem) : (KEYS[problem.reason] ?? "somethingWrong");
}
