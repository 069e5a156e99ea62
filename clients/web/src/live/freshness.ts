/** How long what a stream told stays good. */

/**
 * Counts down from each frame to the moment when what it told is stale, by both of a browser's clocks
 * at once: `performance.now()` may stand still while the machine sleeps, and `Date.now()` may be set.
 * It is good only while it is by both, so that it ends too early rather than too late.
 */
export class FreshnessCountdown {
  readonly #countdowns = [
    new CountdownByOneClock(() => performance.now()),
    new CountdownByOneClock(() => Date.now()),
  ];

  /** How long it stays good without another frame; 0 or less: it is stale. */
  msLeft(): number {
    return Math.min(...this.#countdowns.map((each) => each.msLeft()));
  }

  /** Forgets how long frames were under way: another server may have another clock. */
  beginStream(): void {
    for (const each of this.#countdowns) each.beginStream();
  }

  /** Counts from a frame that has just come and says how things were at an instant. */
  told(asOfMs: number, staleAfterMs: number): void {
    for (const each of this.#countdowns) each.told(asOfMs, staleAfterMs);
  }

  /** Is stale from now on. */
  lapse(): void {
    for (const each of this.#countdowns) each.lapse();
  }
}

class CountdownByOneClock {
  readonly #nowMs: () => number;
  #goodUntilMs: number;
  #begunMs: number;
  #shortestWayMs: number | null = null;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#goodUntilMs = this.#begunMs = nowMs();
  }

  msLeft(): number {
    return this.#goodUntilMs - this.#nowMs();
  }

  beginStream(): void {
    this.#begunMs = this.#nowMs();
    this.#shortestWayMs = null;
  }

  /**
   * A frame that was under way for longer than the quickest one of its stream is so much the older: a
   * tab that was frozen for a minute reads old frames first. The first one has nothing to be compared
   * with, but it cannot be older than the request for it.
   */
  told(asOfMs: number, staleAfterMs: number): void {
    const nowMs = this.#nowMs();
    const wayMs = nowMs - asOfMs;
    const ageMs =
      this.#shortestWayMs === null
        ? nowMs - this.#begunMs
        : Math.max(0, wayMs - this.#shortestWayMs);
    this.#shortestWayMs = Math.min(wayMs, this.#shortestWayMs ?? wayMs);
    this.#goodUntilMs = nowMs + staleAfterMs - ageMs;
  }

  lapse(): void {
    this.#goodUntilMs = this.#nowMs();
  }
}
