import { moment, msSince } from "./elapsed.js";
import { after, CallFailed, callFailed, type Problem } from "./problem.js";

const ATTEMPT_MS = 5_000;
const PAUSE_MS_FIRST = 200;
const PAUSE_MS_MAX = 2_000;

/**
 * Attempts a call until it succeeds, is refused for good, or `totalMs` have passed; then throws the
 * last CallFailed. Each attempt sends the same `request_id`, so that all of them together are done once.
 */
export async function persist<Answer>(
  totalMs: number,
  attempt: (options: { timeoutMs: number }) => Promise<Answer>,
): Promise<Answer> {
  const begun = moment();
  const msLeft = () => totalMs - msSince(begun);
  let before: Problem | null = null;
  for (let failures = 1; ; failures++) {
    try {
      // Whole: gRPC's own timeout has no fractions.
      return await attempt({ timeoutMs: Math.ceil(Math.max(1, Math.min(ATTEMPT_MS, msLeft()))) });
    } catch (error) {
      const problem: Problem = after(before, callFailed(error).problem);
      const pauseMs = pauseAfter(failures) + problem.retryAfterMs;
      if (!problem.retryable || pauseMs >= msLeft()) throw new CallFailed(problem, error);
      before = problem;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Doubles up to a limit, with jitter, so that those who failed together do not come back together. */
export function pauseAfter(
  failures: number,
  firstMs = PAUSE_MS_FIRST,
  maxMs = PAUSE_MS_MAX,
): number {
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 16), maxMs) * (0.5 + Math.random() / 2);
}
