import { useEffect, useMemo, useRef, useState } from "react";
import type { Catalog, Slot } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { BookingState, ChoosingTime } from "../booking/state.js";
import { useSlotcast } from "../live/provider.js";
import { useSpeaking } from "../words/provider.js";
import { ChoiceScreen } from "./ChoiceScreen.js";
import { Deferred, usePrefetch } from "./Deferred.js";
import type { FormValues } from "./draft.js";
import { Failure, Notice, Skeleton } from "./parts.js";
import type { SlotcastBookingProps } from "./SlotcastBooking.js";
import { ScreensContext } from "./screen.js";
import { type Offer, offerOf, onlySelection, type Selection, selectionOf } from "./selection.js";
import { useCatalog } from "./useCatalog.js";
import type { LookedAt } from "./useMonth.js";
import { useLeaving, useSessionListener, useSessionState, useTicket } from "./useSession.js";

const timeScreen = () => import("./TimeScreen.js");
const lastScreens = () => import("./lastScreens.js");

export interface FlowProps extends SlotcastBookingProps {
  readonly session: Session;
}

/** Loads what can be booked, and then leads through the screens. */
export function BookingFlow(props: FlowProps) {
  const { session, appointmentType, calendar, durationMinutes, ticket } = props;
  const slotcast = useSlotcast();
  const view = useCatalog(slotcast);
  const state = useSessionState(session);
  const answer = useTicketAnswer(ticket, state);
  // First, so that on leaving the page is still told what is given free.
  useLeaving(session);
  useSessionListener(session, props);
  useTicket(session, ticket);
  usePrefetch(timeScreen);
  const offer = useMemo(
    () =>
      view.is === "there" &&
      offerOf(view.catalog, slotcast.business, { appointmentType, calendar, durationMinutes }),
    [view, slotcast, appointmentType, calendar, durationMinutes],
  );
  useWarning(offer && offer.types.length === 0);
  const retried = useRef(false);
  if (view.is === "failed") {
    const retry = () => {
      retried.current = true;
      view.retry();
    };
    return <Failure problem={view.problem} onRetry={retry} />;
  }
  if (view.is === "loading" || !offer || answer === "awaited") return <Skeleton bars={3} />;
  return (
    <Steps
      key={`${appointmentType} ${calendar} ${durationMinutes}`}
      {...props}
      state={state}
      catalog={view.catalog}
      offer={offer}
      isTicketRefused={answer === "refused"}
      takesFocus={retried.current}
    />
  );
}

/** For whoever builds the page. */
function useWarning(isNothingOffered: boolean): void {
  useEffect(() => {
    if (isNothingOffered)
      console.warn("slotcast: nothing can be booked; are appointment-type and calendar right?");
  }, [isNothingOffered]);
}

/** What became of the ticket; `refused` until the visitor has chosen a time themselves. */
function useTicketAnswer(
  ticket: string | undefined,
  state: BookingState,
): "awaited" | "refused" | "none" {
  const before = useRef(state);
  const answer = useRef<BookingState | null>(null);
  if (!ticket) return "none";
  if (state === before.current) return "awaited";
  answer.current ??= state;
  return state === answer.current && state.step === "time" ? "refused" : "none";
}

interface StepsProps extends FlowProps {
  readonly state: BookingState;
  readonly catalog: Catalog;
  readonly offer: Offer;
  readonly isTicketRefused: boolean;
  /** True: the visitor has had the focus in here, so that the first screen takes it too. */
  readonly takesFocus: boolean;
}

function Steps(props: StepsProps) {
  const { state, catalog, offer, headingLevel = 2 } = props;
  const only = useMemo(() => onlySelection(offer, catalog), [offer, catalog]);
  const [chosen, setChosen] = useState<Selection | null>(null);
  const [last, setLast] = useState<Selection | null>(null);
  const [typed, setTyped] = useState<Partial<FormValues>>({});
  const lookedAt = useRef<string | null>(null);
  const selection = chosen ?? only;
  const choose = (next: Selection) => {
    setChosen(next);
    setLast(next);
  };
  useHeldSelection(state, catalog, selection, setChosen);
  const screen = state.step === "time" && !selection ? "choice" : state.step;
  const screens = useScreens(headingLevel, screen, props.takesFocus);
  usePrefetch(selection ? lastScreens : timeScreen);
  return (
    <ScreensContext.Provider value={screens}>
      {props.isTicketRefused && <TicketRefused />}
      {state.step !== "time" ? (
        <LastSteps
          {...props}
          state={state}
          typed={typed}
          onTyped={setTyped}
          onAnother={() => setChosen(null)}
        />
      ) : selection ? (
        <Times
          {...props}
          state={state}
          selection={selection}
          lookedAt={lookedAt}
          onBack={only ? undefined : () => setChosen(null)}
        />
      ) : (
        <ChoiceScreen catalog={catalog} offer={offer} last={last} onChoose={choose} />
      )}
    </ScreensContext.Provider>
  );
}

function useScreens(headingLevel: number, screen: string, takesFocusAtFirst: boolean) {
  const first = useRef(screen);
  const takesFocus = useRef(takesFocusAtFirst);
  if (screen !== first.current) takesFocus.current = true;
  return useMemo(() => ({ headingLevel, takesFocus }), [headingLevel]);
}

/** Who came with a ticket has chosen nothing here; going back shows the times beside what they held. */
function useHeldSelection(
  state: BookingState,
  catalog: Catalog,
  selection: Selection | null,
  choose: (selection: Selection | null) => void,
): void {
  const held: Slot | null = state.step === "details" ? state.hold.slot : null;
  useEffect(() => {
    if (held && !selection) choose(selectionOf(held, catalog));
  }, [held, selection, catalog, choose]);
}

function TicketRefused() {
  const { text } = useSpeaking();
  return <Notice tone="bad">{text("ticketRefused")}</Notice>;
}

interface TimesProps extends StepsProps {
  readonly state: ChoosingTime;
  readonly selection: Selection;
  readonly lookedAt: LookedAt;
  readonly onBack: (() => void) | undefined;
}

function Times(props: TimesProps) {
  const { state, isTicketRefused, session, catalog, selection, lookedAt, onBack } = props;
  const shown = isTicketRefused ? { ...state, problem: null } : state;
  const back = () => {
    // A time that is just being held is not wanted any more.
    if (state.holding) session.leave();
    onBack?.();
  };
  return (
    <Deferred from={timeScreen}>
      {({ TimeScreen }) => (
        <TimeScreen
          catalog={catalog}
          selection={selection}
          session={session}
          state={shown}
          lookedAt={lookedAt}
          onBack={onBack && back}
          isWaitlistOffered={props.waitlist ?? false}
        />
      )}
    </Deferred>
  );
}

interface LastStepsProps extends StepsProps {
  readonly state: Exclude<BookingState, ChoosingTime>;
  readonly typed: Partial<FormValues>;
  readonly onTyped: (typed: Partial<FormValues>) => void;
  readonly onAnother: () => void;
}

function LastSteps(props: LastStepsProps) {
  const { state, session, catalog, onAnother } = props;
  const another = () => {
    onAnother();
    session.restart();
  };
  return (
    <Deferred from={lastScreens}>
      {({ DetailsScreen, DoneScreen }) =>
        state.step === "done" ? (
          <DoneScreen catalog={catalog} booking={state.booking} onAnother={another} />
        ) : (
          <DetailsScreen
            catalog={catalog}
            session={session}
            state={state}
            prefill={props.prefill}
            fields={props.fields}
            typed={props.typed}
            onTyped={props.onTyped}
          />
        )
      }
    </Deferred>
  );
}
