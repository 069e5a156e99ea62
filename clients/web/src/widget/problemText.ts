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

/** What a visitor is told of a problem. */
export function problemKey(problem: Problem): PlainKey {
  return KEYS[problem.reason] ?? "somethingWrong";
}
