import {
  type CalendarDate,
  GregorianCalendar,
  parseDate,
  toCalendarDate,
  toZoned,
} from "@internationalized/date";
import { I18nProvider } from "@react-aria/i18n";
import { useCalendarState } from "@react-stately/calendar";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { Catalog } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { ChoosingTime } from "../booking/state.js";
import { useOpenSlots } from "../live/useOpenSlots.js";
import { useSpeaking } from "../words/provider.js";
import { useAnnounce } from "./announcer.js";
import { DayPanel, type DayProps } from "./DayPanel.js";
import { daysOf, type Start } from "./days.js";
import { LostNotice } from "./LostNotice.js";
import { MonthGrid } from "./MonthGrid.js";
import { BackButton, Failure, Icon, ProblemNotice } from "./parts.js";
import { ScreenHeading } from "./screen.js";
import { isLeftToService, type Selection } from "./selection.js";
import { useClosedDays } from "./useClosedDays.js";
import { useDay } from "./useDay.js";
import { type LookedAt, useMonth } from "./useMonth.js";
import { ZoneLine } from "./ZoneLine.js";

export interface TimeProps {
  readonly catalog: Catalog;
  readonly selection: Selection;
  readonly session: Pick<Session, "choose">;
  readonly state: ChoosingTime;
  readonly lookedAt: LookedAt;
  readonly onBack: (() => void) | undefined;
  /** What stands between the heading and the times. */
  readonly before?: ReactNode;
  /** Whether one may wait for what frees: on a day, or in a month, without free times. */
  readonly isWaitlistOffered?: boolean;
}

/** The second screen: a day and a time, as they are open at this moment. */
export function TimeScreen(props: TimeProps) {
  const { catalog, selection, onBack } = props;
  const { text, formats, locale } = useSpeaking();
  const [attempt, setAttempt] = useState(0);
  const person = catalog.calendars.get(selection.calendar)?.displayName;
  return (
    <I18nProvider locale={locale}>
      <div className="slotcast-time-screen">
        <header className="slotcast-header">
          {onBack && <BackButton onBack={onBack} />}
          <ScreenHeading key={attempt}>{text("chooseTime")}</ScreenHeading>
          <p className="slotcast-chosen">
            <bdi>{selection.type.displayName}</bdi> ·{" "}
            <bdi>{formats.duration(selection.durationSeconds)}</bdi>
            {person && (
              <>
                {" "}
                · <bdi>{person}</bdi>
              </>
            )}
          </p>
        </header>
        {props.before}
        <OpenTimes key={attempt} {...props} onRetry={() => setAttempt(attempt + 1)} />
      </div>
    </I18nProvider>
  );
}

function OpenTimes(props: TimeProps & { onRetry: () => void }) {
  const { catalog, selection, session, state, lookedAt, isWaitlistOffered = false } = props;
  const { formats } = useSpeaking();
  const month = useMonth(selection, formats.timeZone, lookedAt.current);
  const open = useOpenSlots(month.query);
  const days = useMemo(() => daysOf(open.slots, formats.dayKey), [open.slots, formats]);
  const isStale = open.freshness === "stale";
  const isFresh = open.freshness === "fresh";
  const closed = useClosedDays(isWaitlistOffered && isFresh, month, days, selection, catalog);
  const [day, setDay] = useDay(days, month, isFresh, lookedAt);
  useHoldingAnnounced(state);
  if (open.gaveUp && open.problem)
    return <Failure problem={open.problem} onRetry={props.onRetry} />;
  const choose = (start: Start) => {
    const slot = start.slots.find(open.isOffered);
    if (slot) session.choose(slot, isLeftToService(selection));
  };
  return (
    <>
      <StaleBanner isStale={isStale || (open.freshness === "loading" && open.problem !== null)} />
      {state.lost && (
        <LostNotice
          key={state.lost.slot.key}
          catalog={catalog}
          lost={state.lost}
          isAnyone={isLeftToService(selection)}
          onChoose={(slot) => session.choose(slot, isLeftToService(selection))}
        />
      )}
      {state.problem && <ProblemNotice problem={state.problem} />}
      <Lasting isStale={isStale}>
        <DayChoice
          {...{ open, days, closed, month, day, isStale, isWaitlistOffered }}
          onDay={setDay}
        />
        <div className="slotcast-side" tabIndex={-1}>
          <DayPanel
            {...{ open, days, closed, month, day, isStale, selection, isWaitlistOffered }}
            holding={state.holding}
            onDay={setDay}
            onChoose={choose}
          />
        </div>
      </Lasting>
      <ZoneLine
        businessName={catalog.businessName}
        businessZone={zoneOf(catalog, selection)}
        instant={days.get(day ?? "")?.[0]?.at ?? month.query.start}
      />
    </>
  );
}

/** What can be chosen only while it is up to date. */
function Lasting({ isStale, children }: { isStale: boolean; children: ReactNode }) {
  return (
    <fieldset className="slotcast-columns" aria-disabled={isStale} data-is-stale={isStale}>
      {children}
    </fieldset>
  );
}

function StaleBanner({ isStale }: { isStale: boolean }) {
  const { text } = useSpeaking();
  const announce = useAnnounce();
  const [wasStale, setWasStale] = useState(isStale);
  useEffect(() => {
    if (wasStale === isStale) return;
    setWasStale(isStale);
    if (!isStale) announce(() => text("upToDate"));
  }, [wasStale, isStale, announce, text]);
  return (
    <div role="status" className="slotcast-stale">
      {isStale && (
        <p>
          <Icon name="cloud" />
          {text("stale")}
        </p>
      )}
    </div>
  );
}

/** Null where the calendars are in several zones. */
function zoneOf(catalog: Catalog, { type, calendar }: Selection): string | null {
  const names = calendar ? [calendar] : [...type.anyOf, ...type.allOf];
  const zones = new Set(names.flatMap((name) => catalog.calendars.get(name)?.timeZone ?? []));
  const [zone = null] = zones;
  return zones.size === 1 ? zone : null;
}

function useHoldingAnnounced({ holding }: ChoosingTime): void {
  const { text, formats } = useSpeaking();
  const announce = useAnnounce();
  useEffect(() => {
    if (holding) announce(() => text("holding", { time: formats.time(holding.start) }));
  }, [holding, announce, text, formats]);
}

const gregorian = () => new GregorianCalendar();

function DayChoice(props: DayProps) {
  const { open, days, closed, month, day, isStale, isWaitlistOffered, onDay } = props;
  const { locale, formats } = useSpeaking();
  const isLoading = open.freshness === "loading";
  // On a day without times, too: there one can wait for what frees.
  const mayWait = (date: CalendarDate) =>
    isWaitlistOffered && !isLoading && month.isBookable(date) && !closed.has(date.toString());
  const state = useCalendarState({
    locale,
    createCalendar: gregorian,
    value: day ? toZoned(parseDate(day), formats.timeZone) : null,
    onChange: (value) => onDay(toCalendarDate(value).toString()),
    focusedValue: month.focused,
    onFocusChange: month.setFocused,
    minValue: month.min,
    maxValue: month.max,
    isDateUnavailable: (date) => !days.has(date.toString()) && !mayWait(toCalendarDate(date)),
    // Days of an old view can be walked over, not chosen.
    isReadOnly: isStale || isLoading,
  });
  return <MonthGrid {...{ state, days, closed, isLoading, isStale }} />;
}
