/**
 * What has passed, by both of a browser's clocks. `performance.now()` may stand still while the machine
 * sleeps, and `Date.now()` is set by people and by NTP. The longer of the two is what has passed at
 * most: whoever trusts it stops too early, never too late.
 */
export interface Moment {
  readonly steadyMs: number;
  readonly wallMs: number;
}

export function moment(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

export function msSince(then: Moment): number {
  const now = moment();
  return Math.max(now.steadyMs - then.steadyMs, now.wallMs - then.wallMs);
}

/** How much more the wall clock has gone on than the steady one. */
export function msApartSince(then: Moment): number {
  const now = moment();
  return now.wallMs - then.wallMs - (now.steadyMs - then.steadyMs);
}
