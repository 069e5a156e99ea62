import { useEffect, useMemo, useRef, useState } from "react";
import type { Catalog, Slot } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { BookingState, ChoosingTime, TakingOver } from "../booking/state.js";
import { useSlotcast } from "../live/provider.js";
import { useSpeaking } from "../words/provider.js";
import { ChoiceScreen } from "./ChoiceScreen.js";
import { Deferred, usePrefetch } from "./Deferred.js";
import { type Draft, NOTHING_WRITTEN } from "./draft.js";
import { Failure, Skeleton } from "./parts.js";
import type { SlotcastBookingProps } from "./SlotcastBooking.js";
import { ScreensContext } from "./screen.js";
import { type Offer, offerOf, onlySelection, type Selection, selectionOf } from "./selection.js";
import {
  isKey,
  isTicketOver,
  TicketEnded,
  TicketRefused,
  useIsNew,
  useSaidLanguage,
  useSaidZone,
} from "./ticket.js";
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
  const { session, calendar, durationMinutes, ticket } = props;
  const slotcast = useSlotcast();
  const view = useCatalog(slotcast);
  const state = useSessionState(session);
  const isNew = useIsNew(state);
  const isForeign = useSaidLanguage(session);
  const appointmentType = (isKey(props) && session.ticketType()) || props.appointmentType;
  // First, so that on leaving the page is still told what is given free.
  useLeaving(session);
  useSessionListener(session, props);
  useTicket(session, ticket);
  usePrefetch(ticket ? lastScreens : timeScreen);
  const offer = useMemo(
    () =>
      view.is === "there" &&
      offerOf(view.catalog, slotcast.business, { appointmentType, calendar, durationMinutes }),
    [view, slotcast, appointmentType, calendar, durationMinutes],
  );
  useWarning(offer && offer.types.length === 0);
  const retried = useRef(false);
  if (view.is === "failed") {
    if (isKey(props) && isTicketOver(view.problem)) return <TicketEnded problem={view.problem} />;
    const retry = () => {
      retried.current = true;
      view.retry();
    };
    return <Failure problem={view.problem} onRetry={retry} />;
  }
  if (isKey(props) && state.step === "time" && isTicketOver(state.refused))
    return <TicketEnded problem={state.refused} />;
  if (state.step === "ticket" && state.problem && ticket)
    return <Failure problem={state.problem} onRetry={() => session.redeem(ticket)} />;
  const isTakingOver = state.step === "ticket" || (ticket && isNew) || isForeign;
  if (view.is === "loading" || !offer || isTakingOver) return <Skeleton bars={3} />;
  return (
    <Steps
      key={`${props.appointmentType} ${calendar} ${durationMinutes}`}
      {...props}
      state={state}
      catalog={view.catalog}
      offer={offer}
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

interface StepsProps extends FlowProps {
  readonly state: Exclude<BookingState, TakingOver>;
  readonly catalog: Catalog;
  readonly offer: Offer;
  /** True: the visitor has had the focus in here, so that the first screen takes it too. */
  readonly takesFocus: boolean;
}

function Steps(props: StepsProps) {
  const { state, catalog, offer, headingLevel = 2 } = props;
  const only = useMemo(() => onlySelection(offer, catalog), [offer, catalog]);
  const [chosen, setChosen] = useState<Selection | null>(null);
  const [last, setLast] = useState<Selection | null>(null);
  const [draft, setDraft] = useState<Draft>(NOTHING_WRITTEN);
  const lookedAt = useRef<string | null>(null);
  const selection = chosen ?? only;
  const choose = (next: Selection) => {
    setChosen(next);
    setLast(next);
  };
  useHeldSelection(state, catalog, selection, lookedAt, setChosen);
  useSaidZone(props.session, props.timeZone);
  const screen = state.step === "time" && !selection ? "choice" : state.step;
  const screens = useScreens(headingLevel, screen, props.takesFocus);
  usePrefetch(selection ? lastScreens : timeScreen);
  return (
    <ScreensContext.Provider value={screens}>
      {state.step === "time" && state.refused && <TicketRefused problem={state.refused} />}
      {state.step !== "time" ? (
        <LastSteps
          {...props}
          state={state}
          draft={draft}
          onDraft={setDraft}
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
  lookedAt: LookedAt,
  choose: (selection: Selection | null) => void,
): void {
  const { formats } = useSpeaking();
  const held: Slot | null = state.step === "details" ? state.hold.slot : null;
  useEffect(() => {
    if (!held) return;
    lookedAt.current ??= formats.dayKey(held.start);
    if (!selection) choose(selectionOf(held, catalog));
  }, [held, selection, catalog, lookedAt, formats, choose]);
}

interface TimesProps extends StepsProps {
  readonly state: ChoosingTime;
  readonly selection: Selection;
  readonly lookedAt: LookedAt;
  readonly onBack: (() => void) | undefined;
}

function Times(props: TimesProps) {
  const { state, session, catalog, selection, lookedAt, onBack } = props;
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
          state={state}
          lookedAt={lookedAt}
          onBack={onBack && back}
          isWaitlistOffered={props.waitlist ?? false}
        />
      )}
    </Deferred>
  );
}

interface LastStepsProps extends StepsProps {
  readonly state: Exclude<BookingState, ChoosingTime | TakingOver>;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
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
          <DoneScreen
            catalog={catalog}
            booking={state.booking}
            onAnother={isKey(props) ? undefined : another}
          />
        ) : (
          <DetailsScreen
            catalog={catalog}
            session={session}
            state={state}
            prefill={props.prefill}
            fields={props.fields}
            draft={props.draft}
            onDraft={props.onDraft}
          />
        )
      }
    </Deferred>
  );
}
