import { useEffect, useState } from "react";
import type { Start } from "./days.js";

/** How long one that is gone is still seen going; style.css fades in this time. */
const LEAVING_MS = 260;

export interface Shown {
  readonly start: Start;
  readonly is: "here" | "new" | "leaving";
}

/**
 * The starts with those that have just gone. In another `scope` all begin as they are. While
 * `isPointedAt` the places of what has gone stay, so that nothing moves under a finger or a mouse.
 */
export function usePresence(
  starts: readonly Start[],
  scope: string,
  isPointedAt: boolean,
): readonly Shown[] {
  const [kept, setKept] = useState(() => begin(starts, scope));
  const now = kept.starts === starts && kept.scope === scope ? kept : step(kept, starts, scope);
  if (now !== kept) setKept(now);
  const isLeaving = now.shown.some(({ is }) => is === "leaving");
  useEffect(() => {
    if (!isLeaving || isPointedAt) return undefined;
    const timer = setTimeout(
      () => setKept((before) => ({ ...before, shown: staying(before.shown) })),
      LEAVING_MS,
    );
    return () => clearTimeout(timer);
  }, [isLeaving, isPointedAt]);
  return now.shown;
}

interface Kept {
  readonly scope: string;
  readonly starts: readonly Start[];
  readonly shown: readonly Shown[];
}

function begin(starts: readonly Start[], scope: string): Kept {
  return { scope, starts, shown: starts.map((start) => ({ start, is: "here" })) };
}

function step(before: Kept, starts: readonly Start[], scope: string): Kept {
  if (before.scope !== scope) return begin(starts, scope);
  return { scope, starts, shown: merged(before.shown, starts) };
}

/** Both in order; what is not in `starts` leaves, what was not shown is new. */
export function merged(shown: readonly Shown[], starts: readonly Start[]): readonly Shown[] {
  const before = new Map(shown.map((each) => [each.start.at.getTime(), each]));
  const now = new Set(starts.map(({ at }) => at.getTime()));
  const staying = starts.map((start): Shown => {
    const known = before.get(start.at.getTime());
    return { start, is: known && known.is !== "leaving" ? known.is : "new" };
  });
  const leaving = shown
    .filter(({ start }) => !now.has(start.at.getTime()))
    .map(({ start }): Shown => ({ start, is: "leaving" }));
  return [...staying, ...leaving].sort((a, b) => a.start.at.getTime() - b.start.at.getTime());
}

function staying(shown: readonly Shown[]): readonly Shown[] {
  return shown.filter(({ is }) => is !== "leaving");
}
