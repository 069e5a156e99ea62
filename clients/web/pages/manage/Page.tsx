import { type ReactNode, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { SlotcastProvider } from "../../src/live/provider.js";
import { Announcer } from "../../src/widget/announcer.js";
import { ErrorBoundary } from "../../src/widget/ErrorBoundary.js";
import { Failure, Skeleton } from "../../src/widget/parts.js";
import { Wordless } from "../../src/widget/SlotcastBooking.js";
import { ScreensContext } from "../../src/widget/screen.js";
import { type Speech, speechOf } from "../../src/words/languages.js";
import { SpeakingProvider, useSpeaking } from "../../src/words/provider.js";
import { BookingScreens } from "./BookingScreens.js";
import { DoneScreen, GoneScreen, UnknownScreen } from "./EndScreens.js";
import type { View } from "./flow.js";
import type { Managing } from "./managing.js";
import { OfferScreens } from "./OfferScreens.js";
import { Saying, useSay } from "./saying.js";

export interface PageProps {
  /** Null: the address has no whole link. */
  readonly managing: Managing | null;
}

/** What a letter's link leads to, in every state. */
export function Page({ managing }: PageProps) {
  const view = useView(managing);
  const speech = useSpeech(view);
  return (
    <div
      className="slotcast"
      data-theme="auto"
      lang={speech.locale.replace(/-u-.*/, "")}
      dir={speech.direction}
    >
      <SpeakingProvider speech={speech} fallback={<Wordless />}>
        <Saying fallback={<Wordless />}>
          <Announcer>
            <Card managing={managing} view={view} />
          </Announcer>
        </Saying>
      </SpeakingProvider>
    </div>
  );
}

const UNKNOWN: View = { is: "unknown" };
const NO_LISTENERS = () => () => undefined;

function useView(managing: Managing | null): View {
  return useSyncExternalStore(
    managing?.subscribe ?? NO_LISTENERS,
    managing?.view ?? (() => UNKNOWN),
  );
}

/** That of the letter, as soon as it is known; it stays when the booking is gone. */
function useSpeech(view: View): Speech {
  const ofLetter = useRef("");
  if (view.is === "booking" || view.is === "done") ofLetter.current = view.booking.language;
  if (view.is === "offer") ofLetter.current = view.entry.language;
  const language = ofLetter.current;
  const speech = useMemo(
    () => speechOf([language, ...navigator.languages], navigator.languages),
    [language],
  );
  useEffect(() => {
    document.documentElement.lang = speech.locale.replace(/-u-.*/, "");
    document.documentElement.dir = speech.direction;
  }, [speech]);
  return speech;
}

function Card({ managing, view }: { managing: Managing | null; view: View }) {
  const { text } = useSpeaking();
  const screens = useScreens(view);
  useTitle(view);
  const content = <Content managing={managing} view={view} />;
  return (
    <div className="slotcast-card">
      <ErrorBoundary text={text}>
        <ScreensContext.Provider value={screens}>
          {managing ? (
            <SlotcastProvider slotcast={managing.desk.slotcast}>{content}</SlotcastProvider>
          ) : (
            content
          )}
        </ScreensContext.Provider>
      </ErrorBoundary>
    </div>
  );
}

/** Each screen but the first takes the focus to its heading. */
function useScreens(view: View) {
  const screen = "screen" in view ? view.screen.at : view.is;
  const first = useRef<string | null>(null);
  const takesFocus = useRef(false);
  if (view.is !== "loading") first.current ??= screen;
  if (first.current !== null && screen !== first.current) takesFocus.current = true;
  return useMemo(() => ({ headingLevel: 1, takesFocus }), []);
}

function useTitle(view: View): void {
  const say = useSay();
  const business = "catalog" in view ? view.catalog.businessName : "";
  const title = say(view.is === "offer" ? (view.entry.offer ? "offered" : "waiting") : "title");
  useEffect(() => {
    document.title = business ? `${title} · ${business}` : title;
  }, [title, business]);
}

/** Before anything is known, the page has a heading that is only heard. */
function Untold({ children }: { children: ReactNode }) {
  const say = useSay();
  return (
    <>
      <h1 className="slotcast-unseen">{say("title")}</h1>
      {children}
    </>
  );
}

function Content({ managing, view }: { managing: Managing | null; view: View }) {
  if (!managing || view.is === "unknown") return <UnknownScreen />;
  switch (view.is) {
    case "loading":
      return (
        <Untold>
          <Skeleton bars={4} />
        </Untold>
      );
    case "failed":
      return (
        <Untold>
          <Failure problem={view.problem} onRetry={() => managing.open()} />
        </Untold>
      );
    case "gone":
      return <GoneScreen status={view.status} />;
    case "done":
      return <DoneScreen {...view} />;
    case "booking":
      return <BookingScreens managing={managing} view={view} />;
    case "offer":
      return <OfferScreens managing={managing} view={view} />;
  }
}
