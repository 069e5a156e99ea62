import { type Moment, moment, msSince } from "../api/elapsed.js";
import { CallFailed, unreachable } from "../api/problem.js";

/** One stream, which may be cut at any time, and is when it says nothing for too long. */
export class Attempt {
  readonly #controller = new AbortController();
  readonly #begun: Moment = moment();
  /** How long it may be silent from now on. */
  patienceMs: number;
  heard = false;

  constructor(patienceMs: number) {
    this.patienceMs = patienceMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  ageMs(): number {
    return msSince(this.#begun);
  }

  /** Ends it: whoever reads gets `reason` thrown, though the source may hang. */
  cut(reason: unknown): void {
    this.#controller.abort(reason);
  }

  async *read<Frame>(source: AsyncIterable<Frame>): AsyncGenerator<Frame, void, undefined> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      while (true) {
        const result = await this.#next(iterator);
        if (result.done) return;
        this.heard = true;
        yield result.value;
      }
    } finally {
      this.cut(new Error("Nobody reads on."));
    }
  }

  async #next<Frame>(iterator: AsyncIterator<Frame>): Promise<IteratorResult<Frame>> {
    const { patienceMs, signal } = this;
    const timer = setTimeout(() => this.cut(silence(patienceMs)), patienceMs);
    let cut: () => void = () => undefined;
    try {
      return await new Promise<IteratorResult<Frame>>((resolve, reject) => {
        cut = () => reject(signal.reason);
        signal.addEventListener("abort", cut);
        if (signal.aborted) cut();
        else iterator.next().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", cut);
    }
  }
}

function silence(ms: number): CallFailed {
  return new CallFailed(unreachable(`Nothing was heard for ${ms} ms.`));
}
