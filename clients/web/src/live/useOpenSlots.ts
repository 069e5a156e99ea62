import { useMemo, useSyncExternalStore } from "react";
import type { Slotcast } from "../api/client.js";
import type { Slot, SlotQuery } from "../api/model.js";
import { useSlotcast } from "./provider.js";
import { LOADING, type SlotsView, type SlotWatch, watchSlots } from "./watch.js";

export interface OpenSlots extends SlotsView {
  /** True: it is known to be open at the moment of asking. Ask it in the handler of a click. */
  isOffered(slot: Slot): boolean;
}

/**
 * The open slots of `query`, live while the component is mounted; null: nothing is watched. A query
 * with the same content is the same one, whoever made it.
 */
export function useOpenSlots(query: SlotQuery | null): OpenSlots {
  const slotcast = useSlotcast();
  const content = query && contentOf(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the content is the query.
  const source = useMemo(() => new Source(slotcast, query), [slotcast, content]);
  const view = useSyncExternalStore(source.subscribe, source.view, () => LOADING);
  return useMemo(() => ({ ...view, isOffered: source.isOffered }), [view, source]);
}

/** A watch that lasts as long as somebody listens. */
class Source {
  readonly #slotcast: Slotcast;
  readonly #query: SlotQuery | null;
  #watch: SlotWatch | null = null;

  constructor(slotcast: Slotcast, query: SlotQuery | null) {
    this.#slotcast = slotcast;
    this.#query = query;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (!this.#query) return () => undefined;
    const watch = watchSlots(this.#slotcast, this.#query);
    watch.subscribe(listener);
    this.#watch = watch;
    return () => {
      watch.close();
      if (this.#watch === watch) this.#watch = null;
    };
  };

  readonly view = (): SlotsView => this.#watch?.view() ?? LOADING;

  readonly isOffered = (slot: Slot): boolean => {
    const watch = this.#watch;
    return watch?.isFresh() === true && keysOf(watch.view().slots).has(slot.key);
  };
}

const keys = new WeakMap<readonly Slot[], ReadonlySet<string>>();

function keysOf(slots: readonly Slot[]): ReadonlySet<string> {
  const known = keys.get(slots) ?? new Set(slots.map((slot) => slot.key));
  keys.set(slots, known);
  return known;
}

function contentOf(query: SlotQuery): string {
  return JSON.stringify([
    [...query.appointmentTypes].sort(),
    [...query.calendars].sort(),
    query.start.getTime(),
    query.end.getTime(),
    query.durationSeconds ?? null,
  ]);
}
