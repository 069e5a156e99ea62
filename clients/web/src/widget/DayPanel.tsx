import { type CalendarDate, parseDate, startOfMonth } from "@internationalized/date";
import type { Slot } from "../api/model.js";
import type { OpenSlots } from "../live/useOpenSlots.js";
import { useSpeaking } from "../words/provider.js";
import { DayTimes } from "./DayTimes.js";
import type { Days, Start } from "./days.js";
import { keepFocus } from "./keepFocus.js";
import { Skeleton } from "./parts.js";
import type { Selection } from "./selection.js";
import type { Month } from "./useMonth.js";
import { WaitOffer } from "./WaitOffer.js";

export interface DayProps {
  readonly open: OpenSlots;
  readonly days: Days;
  /** Those that are known to be closed: for them one cannot wait. */
  readonly closed: ReadonlySet<string>;
  readonly month: Month;
  readonly day: string | null;
  readonly isStale: boolean;
  /** Whether one may wait for what frees. */
  readonly isWaitlistOffered: boolean;
  readonly onDay: (day: string) => void;
}

interface PanelProps extends DayProps {
  readonly selection: Selection;
  readonly holding: Slot | null;
  readonly onChoose: (start: Start) => void;
}

/** The times of the chosen day, or what there is instead of them. */
export function DayPanel(props: PanelProps) {
  const { open, days, closed, day, selection, holding } = props;
  if (open.freshness === "loading") return <Skeleton bars={9} look="slotcast-skeleton-times" />;
  if (!day) return <EmptyMonth {...props} />;
  return (
    <>
      <DayTimes
        day={day}
        starts={days.get(day) ?? NONE}
        isStale={props.isStale}
        isClosed={closed.has(day)}
        isGroup={selection.type.capacity > 1}
        holding={holding}
        onChoose={props.onChoose}
      />
      {!days.has(day) && <NextFreeDay {...props} after={day} />}
      {!days.has(day) && !closed.has(day) && <WaitForDay {...props} day={day} />}
    </>
  );
}

const NONE: readonly Start[] = [];

function NextFreeDay({ days, month, isStale, onDay, after }: DayProps & { after: string }) {
  const { text, formats } = useSpeaking();
  const next = [...days].find(([day]) => day > after) ?? [...days][0];
  const at = next?.[1][0]?.at;
  if (!next || !at) return null;
  return (
    <button
      type="button"
      className="slotcast-button slotcast-secondary"
      aria-disabled={isStale}
      onClick={(event) => {
        if (isStale) return;
        keepFocus(event);
        month.setFocused(parseDate(next[0]));
        onDay(next[0]);
      }}
    >
      {text("nextFreeDay", { day: formats.shortDay(at) })}
    </button>
  );
}

function WaitForDay({ isWaitlistOffered, selection, day }: PanelProps & { day: string }) {
  const { formats } = useSpeaking();
  const date = parseDate(day);
  const start = date.toDate(formats.timeZone);
  const end = date.add({ days: 1 }).toDate(formats.timeZone);
  return isWaitlistOffered && <WaitOffer key={day} {...{ selection, start, end }} />;
}

function EmptyMonth({ month, closed, isStale, isWaitlistOffered, selection }: PanelProps) {
  const { text, formats } = useSpeaking();
  const next: CalendarDate = startOfMonth(month.focused).add({ months: 1 });
  const isLast = next.compare(month.max) > 0;
  const bookable = month.days.filter(month.isBookable);
  const isClosed = bookable.length > 0 && bookable.every((day) => closed.has(day.toString()));
  const name = formats.month(month.focused.toDate(formats.timeZone));
  return (
    <div className="slotcast-empty">
      <p>{text("emptyMonth", { month: name })}</p>
      {!isLast && (
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          aria-disabled={isStale}
          onClick={(event) => {
            if (isStale) return;
            keepFocus(event);
            month.setFocused(next);
          }}
        >
          {text("nextMonth")}
        </button>
      )}
      {isWaitlistOffered && !isClosed && (
        <WaitOffer
          key={name}
          selection={selection}
          start={month.query.start}
          end={month.query.end}
        />
      )}
    </div>
  );
}
