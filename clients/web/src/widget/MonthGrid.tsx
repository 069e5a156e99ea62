import { type CalendarDate, getWeeksInMonth, isEqualMonth, isToday } from "@internationalized/date";
import { useCalendar, useCalendarCell, useCalendarGrid } from "@react-aria/calendar";
import type { CalendarState } from "@react-stately/calendar";
import { type KeyboardEvent, useRef } from "react";
import { useSpeaking } from "../words/provider.js";
import type { Days } from "./days.js";
import { Icon } from "./parts.js";
import { Heading } from "./screen.js";

export interface MonthProps {
  readonly state: CalendarState;
  readonly days: Days;
  /** Those that are known to be closed. */
  readonly closed: ReadonlySet<string>;
  readonly isLoading: boolean;
  readonly isStale: boolean;
}

/** The days of a month; those with free times can be chosen, and those one may wait for. */
export function MonthGrid(props: MonthProps) {
  const { state, isLoading } = props;
  const { text } = useSpeaking();
  const { calendarProps, title } = useCalendar({ "aria-label": text("chooseDay") }, state);
  return (
    <div {...calendarProps} className="slotcast-month" aria-busy={isLoading}>
      <div className="slotcast-month-bar">
        <Heading below={1} className="slotcast-month-name">
          {title}
        </Heading>
        <PageButton {...props} to="previous" />
        <PageButton {...props} to="next" />
      </div>
      <Grid {...props} />
    </div>
  );
}

/** Not `disabled` at the bounds: that would drop the focus. */
function PageButton({ state, isStale, to }: MonthProps & { to: "previous" | "next" }) {
  const { text } = useSpeaking();
  const isForth = to === "next";
  const isBound = isForth
    ? state.isNextVisibleRangeInvalid()
    : state.isPreviousVisibleRangeInvalid();
  const isDisabled = isBound || isStale;
  const turn = () => (isForth ? state.focusNextPage() : state.focusPreviousPage());
  return (
    <button
      type="button"
      className="slotcast-page"
      aria-label={text(isForth ? "nextMonth" : "previousMonth")}
      aria-disabled={isDisabled}
      onClick={() => isDisabled || turn()}
    >
      <Icon name={isForth ? "forth" : "back"} />
    </button>
  );
}

const WEEKS = [0, 1, 2, 3, 4, 5];

function Grid(props: MonthProps) {
  const { state } = props;
  const { locale, language } = useSpeaking();
  // Arabic has no short names that would fit above a day.
  const weekdayStyle = language === "ar" ? "narrow" : "short";
  const { gridProps, headerProps, weekDays } = useCalendarGrid({ weekdayStyle }, state);
  const weeks = getWeeksInMonth(state.visibleRange.start, locale);
  return (
    <table
      {...gridProps}
      className="slotcast-grid"
      onKeyDown={(event) => gridProps.onKeyDown?.(withOwnProperties(event))}
    >
      <thead {...headerProps}>
        <tr>
          {weekDays.map((day, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two days may have the same letter.
            <th key={column}>{day}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {WEEKS.slice(0, weeks).map((week) => (
          <tr key={week}>
            {state.getDatesInWeek(week).map((date, column) =>
              date && isEqualMonth(date, state.visibleRange.start) ? (
                <Day key={date.toString()} {...props} date={date} />
              ) : (
                // biome-ignore lint/suspicious/noArrayIndexKey: an empty place has nothing but its column.
                <td key={column} />
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type Key = KeyboardEvent<Element & HTMLOrSVGElement>;

/** react-aria copies a key's event by its own properties; the browser's, which Preact hands on, has none. */
function withOwnProperties(event: Key): Key {
  const { key, altKey, ctrlKey, metaKey, shiftKey, target, currentTarget, nativeEvent } = event;
  return {
    ...event,
    ...{ key, altKey, ctrlKey, metaKey, shiftKey, target, currentTarget, nativeEvent },
    preventDefault: () => event.preventDefault(),
    stopPropagation: () => event.stopPropagation(),
    isDefaultPrevented: () => event.isDefaultPrevented(),
    isPropagationStopped: () => event.isPropagationStopped(),
  };
}

function Day({ state, days, closed, isLoading, date }: MonthProps & { date: CalendarDate }) {
  const { text, formats } = useSpeaking();
  const cell = useRef<HTMLDivElement>(null);
  const { cellProps, buttonProps, isSelected, isDisabled, isUnavailable, formattedDate } =
    useCalendarCell({ date }, state, cell);
  const count = days.get(date.toString())?.length ?? 0;
  const isThisDay = isToday(date, formats.timeZone);
  const isClosed = closed.has(date.toString()) && !isDisabled;
  const none = isClosed ? text("closed") : text("noFreeTimes");
  const free = count > 0 ? text("freeTimes", { count }) : none;
  const label = [
    isThisDay && formats.today(),
    dayLabel(date, formats.locale),
    isSelected && text("selected"),
    !isLoading && !isDisabled && free,
  ];
  const { "aria-invalid": _cell, ...ofCell } = cellProps;
  // Its focus follows the state, and may not lead it: where an effect comes after the next key, as in
  // Preact, two days would hand the focus to each other for ever.
  const { "aria-invalid": _button, onFocus: _focus, ...ofButton } = buttonProps;
  return (
    <td {...ofCell}>
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: its role is among react-aria's props. */}
      <div
        {...ofButton}
        ref={cell}
        className="slotcast-day"
        aria-label={label.filter(Boolean).join(", ")}
        data-is-free={count > 0}
        data-is-selected={isSelected}
        data-is-disabled={isDisabled || isUnavailable}
        data-is-closed={isClosed}
        data-is-today={isThisDay}
      >
        {formattedDate}
      </div>
    </td>
  );
}

/** Not react-aria's, which calls the first day of the calendar available, be it free or not. */
function dayLabel(date: CalendarDate, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "full", timeZone: "UTC" }).format(
    date.toDate("UTC"),
  );
}
