/** Open slots as they change, from one stream after another, which know when they are stale. */

import type { Slotcast } from "../api/client.js";
import { seconds } from "../api/convert.js";
import type { Slot, SlotQuery } from "../api/model.js";
import { pauseAfter } from "../api/persist.js";
import { CallFailed, callFailed, type Problem, unreachable } from "../api/problem.js";
import type { WatchAvailabilityResponse } from "../gen/slotcast/v1/availability_service_pb.js";
import { Attempt } from "./attempt.js";
import { digestOf } from "./digest.js";
import { beginStream, fold, forget, NOTHING, type OpenSlots, ViewMismatch } from "./fold.js";
import { FreshnessCountdown } from "./freshness.js";
import { isHidden, listenForWake } from "./wake.js";

/** A proxy that is stuck takes a connection and never answers. */
const FIRST_FRAME_MS = 3_000;
/** Before the first snapshot nothing wrong is shown, so that a slow network may be given more time. */
const FIRST_FRAME_MS_WHILE_LOADING_MAX = 12_000;
const PAUSE_MS_FIRST = 250;
const PAUSE_MS_MAX = 2_000;
/** A server that does not say when a view grows stale. */
const STALE_AFTER_SECONDS = 12;
/** A browser that wakes up tells it by several events. */
const ONE_WAKE_MS = 1_000;
/** A browser opens six connections to a host at most, and a tab that nobody looks at needs none. */
const HIDDEN_MS_MAX = 5_000;
/** Timers are set no further ahead: `setTimeout` has a limit, beyond which it fires at once. */
const TIMER_MS_MAX = 60_000;

/** `loading`: there was no whole snapshot yet. `stale`: the slots may be shown, and not be offered. */
export type Freshness = "loading" | "fresh" | "stale";

/** The same object while nothing in it has changed; heartbeats change nothing. */
export interface SlotsView {
  readonly freshness: Freshness;
  /** As they were last told, by start; the same array while none has changed. */
  readonly slots: readonly Slot[];
  /** An instant, by the server's clock, at which they were so; when stale, the last one. */
  readonly asOf: Date | null;
  /** Why the last stream ended; null where nothing went wrong. */
  readonly problem: Problem | null;
  /** True: it will not heal, because `problem` is lasting. */
  readonly gaveUp: boolean;
}

export interface SlotWatch {
  /** Calls `listener` whenever `view()` is another one; returns what ends that. */
  subscribe(listener: () => void): () => void;
  view(): SlotsView;
  /** Asks the clock now: a tab that was frozen is stale before any timer has run. */
  isFresh(): boolean;
  close(): void;
}

export const LOADING: SlotsView = {
  freshness: "loading",
  slots: NOTHING.slots,
  asOf: null,
  problem: null,
  gaveUp: false,
};

/**
 * Watches until it is closed. A stream that ends, breaks or falls silent is followed by another one,
 * which resumes; a lasting refusal ends the watch.
 */
export function watchSlots(slotcast: Slotcast, query: SlotQuery): SlotWatch {
  return new ResumingWatch(slotcast, query);
}

/** Why a stream was cut that another one replaces at once. */
const RESTART = Symbol("restart");

class ResumingWatch implements SlotWatch {
  readonly #slotcast: Slotcast;
  readonly #query: SlotQuery;
  readonly #listeners = new Set<() => void>();
  readonly #countdown = new FreshnessCountdown();
  readonly #stopListening: () => void;
  #open: OpenSlots = NOTHING;
  #problem: Problem | null = null;
  #gaveUp = false;
  #closed = false;
  #view = LOADING;
  #toldView = LOADING;
  #attempt = new Attempt(FIRST_FRAME_MS);
  #failures = 0;
  #unanswered = 0;
  #endPause: (() => void) | null = null;
  #staleTimer: ReturnType<typeof setTimeout> | undefined;
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  #isLetGo = false;
  #isChecking = false;

  constructor(slotcast: Slotcast, query: SlotQuery) {
    this.#slotcast = slotcast;
    this.#query = query;
    this.#stopListening = listenForWake({
      woke: () => this.#lookAgain(),
      offline: () => this.#loseNetwork(),
      hidden: () => this.#letGoSoon(),
    });
    void this.#run();
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  isFresh(): boolean {
    return this.#open.whole && this.#countdown.msLeft() > 0 && !this.#isOver();
  }

  view(): SlotsView {
    const freshness = this.#freshness();
    const { slots, asOfMs } = this.#open;
    const isSame =
      freshness === this.#view.freshness &&
      slots === this.#view.slots &&
      this.#problem === this.#view.problem &&
      this.#gaveUp === this.#view.gaveUp;
    if (!isSame) {
      const asOf = asOfMs === null ? null : new Date(asOfMs);
      this.#view = { freshness, slots, asOf, problem: this.#problem, gaveUp: this.#gaveUp };
    }
    return this.#view;
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#stopListening();
    clearTimeout(this.#staleTimer);
    clearTimeout(this.#hiddenTimer);
    this.#attempt.cut(RESTART);
    this.#endPause?.();
  }

  #isOver(): boolean {
    return this.#closed || this.#gaveUp;
  }

  #freshness(): Freshness {
    if (this.#open.asOfMs === null) return "loading";
    return this.isFresh() ? "fresh" : "stale";
  }

  /** Tells listeners if there is anything new, and wakes up when the view will be stale. */
  #tell(): void {
    clearTimeout(this.#staleTimer);
    if (this.#closed) return;
    if (this.isFresh()) {
      const leftMs = Math.min(Math.ceil(this.#countdown.msLeft()), TIMER_MS_MAX);
      this.#staleTimer = setTimeout(() => this.#tell(), leftMs);
    }
    if (this.view() === this.#toldView) return;
    this.#toldView = this.#view;
    for (const listener of this.#listeners) callSafely(listener);
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      if (this.#isLetGo) {
        await new Promise<void>((resolve) => {
          this.#endPause = resolve;
        });
        this.#endPause = null;
        continue;
      }
      const pauseMs = await this.#readOne();
      if (pauseMs > 0 && !this.#isOver()) await this.#pause(pauseMs);
    }
  }

  /** Reads a stream to its end, and returns how long to wait before the next one. */
  async #readOne(): Promise<number> {
    const attempt = new Attempt(this.#firstFrameMs());
    this.#attempt = attempt;
    this.#open = beginStream(this.#open);
    this.#countdown.beginStream();
    try {
      const { resumeToken } = this.#open;
      const source = this.#slotcast.openWatch(this.#query, resumeToken, attempt.signal);
      for await (const frame of attempt.read(source)) {
        this.#take(frame, attempt);
        if (frame.frame.case === "goodbye") {
          // However long the server asks for, what was told must not grow stale meanwhile.
          const askedMs = 1000 * seconds(frame.frame.value.retryDelay, 0);
          return this.#pauseMs(attempt, Math.min(askedMs, attempt.patienceMs / 2));
        }
      }
      throw broken("The stream ended without a goodbye.");
    } catch (error) {
      return this.#recover(error, attempt);
    }
  }

  #firstFrameMs(): number {
    if (this.#open.asOfMs !== null) return FIRST_FRAME_MS;
    return Math.min(FIRST_FRAME_MS * 2 ** this.#unanswered, FIRST_FRAME_MS_WHILE_LOADING_MAX);
  }

  #take(frame: WatchAvailabilityResponse, attempt: Attempt): void {
    attempt.patienceMs = 1000 * (seconds(frame.staleAfter, 0) || STALE_AFTER_SECONDS);
    const { open, complete } = fold(this.#open, frame);
    this.#open = open;
    if (complete && open.asOfMs !== null) {
      this.#countdown.told(open.asOfMs, attempt.patienceMs);
      if (this.#countdown.msLeft() <= 0) throw broken("The frames that come are old.");
      this.#slotcast.clock.told(open.asOfMs);
    }
    this.#problem = null;
    this.#tell();
    if (complete && frame.frame.case === "heartbeat")
      void this.#check(frame.frame.value.digest, attempt);
  }

  /** Compares digests behind the frames. Slots that changed meanwhile wait for the next heartbeat. */
  async #check(digest: bigint, attempt: Attempt): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { slots } = this.#open;
    const own = await digestOf(slots).catch(() => null);
    this.#isChecking = false;
    const isStillShown = this.#attempt === attempt && this.#open.slots === slots;
    if (own !== null && own !== digest && isStillShown)
      attempt.cut(new ViewMismatch("The slots are not the server's."));
  }

  /** Prepares for the next stream, if it is of any use, and returns how long to wait before it. */
  #recover(error: unknown, attempt: Attempt): number {
    if (error === RESTART) return 0;
    if (error instanceof ViewMismatch) {
      this.#open = forget(this.#open);
      this.#tell();
      return this.#pauseMs(attempt, 0);
    }
    const { problem } = callFailed(error);
    if (problem.reason === "INVALID_RESUME_TOKEN" && this.#open.resumeToken)
      this.#open = forget(this.#open);
    else this.#gaveUp = isLasting(problem);
    // Each attempt of an outage fails in the same way: that is no news.
    if (problem.reason !== this.#problem?.reason) this.#problem = problem;
    this.#tell();
    return this.#pauseMs(attempt, problem.retryAfterMs);
  }

  #pauseMs(attempt: Attempt, askedMs: number): number {
    const ageMs = attempt.ageMs();
    // A stream that lasted was no failure; one that ends at once, again and again, is.
    const lasted = attempt.heard && ageMs > PAUSE_MS_MAX;
    this.#failures = lasted ? 1 : this.#failures + 1;
    const isUnanswered = !attempt.heard && ageMs >= attempt.patienceMs;
    this.#unanswered = isUnanswered ? this.#unanswered + 1 : 0;
    const backOffMs = pauseAfter(this.#failures, PAUSE_MS_FIRST, PAUSE_MS_MAX);
    // Who has waited for an answer in vain has paused enough.
    return askedMs + (attempt.heard ? backOffMs : Math.max(0, backOffMs - ageMs));
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endPause = null;
        resolve();
      };
      const timer = setTimeout(end, pauseMs);
      this.#endPause = end;
    });
  }

  #letGoSoon(): void {
    clearTimeout(this.#hiddenTimer);
    this.#hiddenTimer = setTimeout(() => {
      this.#isLetGo = true;
      this.#attempt.cut(RESTART);
    }, HIDDEN_MS_MAX);
  }

  #lookAgain(): void {
    if (!isHidden()) {
      clearTimeout(this.#hiddenTimer);
      this.#isLetGo = false;
    }
    this.#tell();
    if (this.#isOver()) return;
    if (this.#endPause) {
      this.#failures = 0;
      this.#endPause();
    } else if (!this.isFresh() && this.#attempt.ageMs() > ONE_WAKE_MS) {
      this.#failures = 0;
      this.#attempt.cut(RESTART);
    }
  }

  /** Nothing can come. What is still under way could only make it look as if something did. */
  #loseNetwork(): void {
    if (this.#isOver()) return;
    const failed = broken("The browser is offline.");
    this.#countdown.lapse();
    this.#problem = failed.problem;
    this.#attempt.cut(failed);
    this.#tell();
  }
}

function broken(message: string): CallFailed {
  return new CallFailed(unreachable(message));
}

/** INTERNAL is a fault of the service, and of no use to a call, but it may be over soon. */
function isLasting({ retryable, reason }: Problem): boolean {
  return !retryable && reason !== "INTERNAL";
}

/** What a listener throws is told to the page, and to nobody else. */
function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
