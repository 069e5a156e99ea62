import { type Moment, moment, msApartSince, msSince } from "./elapsed.js";

/** After so long another frame is taken, however slow it was: clocks drift. */
const ANCHOR_MS_MAX = 30_000;
/** The clocks part by more when the machine slept, or one was set. */
const APART_MS_MAX = 1_000;

/**
 * The service's clock, as well as it is known: at least what a frame said and what has passed since it
 * came. The quickest frame of a while counts, for a slow one makes the clock seem behind.
 */
export class ServerClock {
  #anchor: { readonly asOfMs: number; readonly came: Moment } | null = null;

  /** Milliseconds since 1970. Before any frame: by the visitor's own clock. */
  now(): number {
    return this.#anchor ? this.#anchor.asOfMs + msSince(this.#anchor.came) : Date.now();
  }

  /** Takes in that a frame, which has just come, says what time it was. */
  told(asOfMs: number): void {
    if (asOfMs >= this.now() || this.#isDoubtful()) this.#anchor = { asOfMs, came: moment() };
  }

  #isDoubtful(): boolean {
    if (!this.#anchor) return true;
    const { came } = this.#anchor;
    return msSince(came) > ANCHOR_MS_MAX || Math.abs(msApartSince(came)) > APART_MS_MAX;
  }
}
