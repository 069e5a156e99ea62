import { type ReactNode, useEffect } from "react";
import type { Problem } from "../api/problem.js";
import { useSpeaking } from "../words/provider.js";
import { problemKey } from "./problemText.js";

/** A failure that fills the screen, with a way on. */
export function Failure({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { text } = useSpeaking();
  useLogged(problem);
  return (
    <div className="slotcast-failure" role="alert">
      <Icon name="cloud" />
      <p>{text(problemKey(problem))}</p>
      <button type="button" className="slotcast-button slotcast-secondary" onClick={onRetry}>
        {text("tryAgain")}
      </button>
    </div>
  );
}

/** Where nothing can be done. */
export function DeadEnd({ children }: { children: ReactNode }) {
  return (
    <div className="slotcast-failure" role="alert">
      <Icon name="info" />
      <p>{children}</p>
    </div>
  );
}

/** A problem beside what can still be done. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  const { text } = useSpeaking();
  useLogged(problem);
  return <Notice tone="bad">{text(problemKey(problem))}</Notice>;
}

function useLogged(problem: Problem): void {
  useEffect(() => console.warn(`slotcast: ${problem.reason}: ${problem.message}`), [problem]);
}

export function Notice({ tone, children }: { tone: "bad" | "plain"; children: ReactNode }) {
  return (
    <div
      className={`slotcast-notice slotcast-notice-${tone}`}
      role={tone === "bad" ? "alert" : undefined}
    >
      <Icon name="info" />
      <div>{children}</div>
    </div>
  );
}

export function BackButton({
  onBack,
  isDisabled = false,
}: {
  onBack: () => void;
  isDisabled?: boolean;
}) {
  const { text } = useSpeaking();
  return (
    <button type="button" className="slotcast-back" aria-disabled={isDisabled} onClick={onBack}>
      <Icon name="back" />
      {text("back")}
    </button>
  );
}

const BARS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Bars where the content will be. */
export function Skeleton({ bars, look = "" }: { bars: number; look?: string }) {
  return (
    <div className={`slotcast-skeleton ${look}`} role="status">
      <LoadingText />
      <Bars count={bars} />
    </div>
  );
}

export function Bars({ count }: { count: number }) {
  return BARS.slice(0, count).map((bar) => <div key={bar} className="slotcast-bar" />);
}

function LoadingText() {
  const { text } = useSpeaking();
  return <span className="slotcast-unseen">{text("loading")}</span>;
}

const PATHS = {
  back: "M15 5l-7 7 7 7",
  forth: "M9 5l7 7-7 7",
  info: "M12 8v5m0 3.2v.1M12 21a9 9 0 100-18 9 9 0 000 18z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  globe:
    "M12 21a9 9 0 100-18 9 9 0 000 18zM3.5 12h17M12 3.2c5 5 5 12.6 0 17.6M12 3.2c-5 5-5 12.6 0 17.6",
  cloud: "M7 18.5h10a4 4 0 000.6-7.950A6 6 0 006 9.5a4.5 4.5 0 001 9zM4 4l16 16",
  clock: "M12 7.5V12l3 2M12 21a9 9 0 100-18 9 9 0 000 18z",
};

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className={`slotcast-icon slotcast-icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
