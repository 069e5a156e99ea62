import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

const PAUSE_MS = 2_000;

/**
 * Says a sentence to screen readers, at most one in two seconds: of those that wait, the last. Null:
 * what was said is over.
 */
export type Announce = (sentence: (() => string | null) | null) => void;

const AnnounceContext = createContext<Announce>(() => undefined);

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ count: 0, sentence: "" });
  const speaker = useMemo(
    () => new Speaker((sentence) => setSaid(({ count }) => ({ count: count + 1, sentence }))),
    [],
  );
  useEffect(() => () => speaker.stop(), [speaker]);
  const announce = useRef<Announce>((sentence) => speaker.say(sentence)).current;
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <div className="slotcast-unseen" aria-live="polite" aria-atomic="true">
        <span key={said.count}>{said.sentence}</span>
      </div>
    </AnnounceContext.Provider>
  );
}

class Speaker {
  private waiting: (() => string | null) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly speak: (sentence: string) => void) {}

  say(sentence: (() => string | null) | null): void {
    this.waiting = sentence;
    if (!sentence) this.speak("");
    if (this.timer === undefined) this.next();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = null;
  }

  private next(): void {
    this.timer = undefined;
    const sentence = this.waiting?.();
    this.waiting = null;
    if (!sentence) return;
    this.speak(sentence);
    this.timer = setTimeout(() => this.next(), PAUSE_MS);
  }
}
