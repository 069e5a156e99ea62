import { useEffect, useState } from "react";
import type { Session } from "../booking/session.js";
import { useSpeaking } from "../words/provider.js";
import { useAnnounce } from "./announcer.js";
import { Icon } from "./parts.js";

const TICK_MS = 1_000;
const ANNOUNCED_MS = [60_000, 30_000];

type Held = Pick<Session, "msLeft" | "subscribe">;

/** How long the time is still held: seen each second, heard twice. */
export function Countdown({ session, holdSeconds }: { session: Held; holdSeconds: number }) {
  const { text, formats } = useSpeaking();
  const left = useMsLeft(session);
  const share = holdSeconds > 0 ? Math.min(1, left / (holdSeconds * 1000)) : 0;
  useAnnounced(left);
  return (
    <div className="slotcast-countdown" data-is-short={left <= 60_000}>
      <p role="timer">
        <Icon name="clock" />
        {text("heldFor", { left: formats.countdown(left) })}
      </p>
      <div className="slotcast-track" aria-hidden="true">
        <div className="slotcast-left" style={{ inlineSize: `${100 * share}%` }} />
      </div>
    </div>
  );
}

function useMsLeft(session: Held): number {
  const [left, setLeft] = useState(() => session.msLeft());
  useEffect(() => {
    const look = () => setLeft(session.msLeft());
    const timer = setInterval(look, TICK_MS);
    const unsubscribe = session.subscribe(look);
    return () => {
      clearInterval(timer);
      unsubscribe();
    };
  }, [session]);
  return left;
}

function useAnnounced(left: number): void {
  const { text } = useSpeaking();
  const announce = useAnnounce();
  const passed = ANNOUNCED_MS.filter((ms) => left <= ms).length;
  const [before, setBefore] = useState(passed);
  useEffect(() => {
    if (passed === before) return;
    setBefore(passed);
    if (passed < before || left === 0) return;
    announce(() => (passed === 1 ? text("heldMinute") : text("heldSeconds", { count: 30 })));
  }, [passed, before, left, announce, text]);
}
