import { useEffect, useMemo, useRef } from "react";
import type { Catalog, Slot, SlotQuery } from "../api/model.js";
import type { LostSlot } from "../booking/state.js";
import { type OpenSlots, useOpenSlots } from "../live/useOpenSlots.js";
import { useSpeaking } from "../words/provider.js";
import { keepFocus } from "./keepFocus.js";
import { Icon } from "./parts.js";
import { personOf } from "./selection.js";

const ALTERNATIVES_MAX = 6;
/** As far as one watch may reach. */
const WINDOW_MS_MAX = 62 * 86_400_000;

export interface LostProps {
  readonly catalog: Catalog;
  readonly lost: LostSlot;
  /** True: with whom it is does not matter, so that times are told apart by their start only. */
  readonly isAnyone: boolean;
  readonly onChoose: (slot: Slot) => void;
}

/** What was chosen is gone; what there is instead, watched like all that can be clicked. */
export function LostNotice(props: LostProps) {
  const { lost } = props;
  const { text, formats } = useSpeaking();
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => notice.current?.focus(), []);
  const query = useMemo(() => queryOf(lost), [lost]);
  const open = useOpenSlots(query);
  const alternatives = alternativesOf(props, open).slice(0, ALTERNATIVES_MAX);
  const time = formats.time(lost.slot.start);
  return (
    <div
      ref={notice}
      className="slotcast-notice slotcast-notice-bad slotcast-lost"
      role="alert"
      tabIndex={-1}
    >
      <Icon name="info" />
      <div>
        <p>
          <strong>
            {text(lost.reason === "SLOT_TAKEN" ? "justTaken" : "noLongerOffered", { time })}
          </strong>{" "}
          {text(alternatives.length > 0 ? "alternatives" : "noAlternatives")}
        </p>
        <ul className="slotcast-alternatives">
          {alternatives.map((slot) => (
            <li key={slot.key}>
              <Alternative {...props} slot={slot} open={open} />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function queryOf({ slot, alternatives }: LostSlot): SlotQuery | null {
  const starts = alternatives.map((each) => each.start.getTime());
  if (starts.length === 0) return null;
  const first = Math.min(...starts);
  return {
    appointmentTypes: [...new Set(alternatives.map((each) => each.appointmentType))],
    calendars: [...new Set(alternatives.map((each) => each.calendar))],
    start: new Date(first),
    end: new Date(Math.min(Math.max(...starts) + 1_000, first + WINDOW_MS_MAX)),
    durationSeconds: (slot.end.getTime() - slot.start.getTime()) / 1000,
  };
}

/** As they were told with the refusal, until it is known which of them are still open. */
function alternativesOf({ lost, isAnyone }: LostProps, open: OpenSlots): readonly Slot[] {
  const keys = new Set(open.slots.map(({ key }) => key));
  const isKnown = open.freshness !== "loading";
  const still = lost.alternatives.filter(({ key }) => !isKnown || keys.has(key));
  if (!isAnyone) return still;
  const byStart = new Map(still.toReversed().map((slot) => [slot.start.getTime(), slot]));
  return still.filter((slot) => byStart.get(slot.start.getTime()) === slot);
}

/** Said is what differs from the time that is lost: the day, the person. */
function Alternative({
  catalog,
  lost,
  isAnyone,
  onChoose,
  slot,
  open,
}: LostProps & { slot: Slot; open: OpenSlots }) {
  const { formats } = useSpeaking();
  const isOtherDay = formats.dayKey(slot.start) !== formats.dayKey(lost.slot.start);
  const isOtherPerson = !isAnyone && slot.calendar !== lost.slot.calendar;
  return (
    <button
      type="button"
      className="slotcast-alternative"
      aria-disabled={open.freshness !== "fresh"}
      onClick={(event) => {
        if (!open.isOffered(slot)) return;
        keepFocus(event);
        onChoose(slot);
      }}
    >
      {isOtherDay && `${formats.shortDay(slot.start)} `}
      <strong>{formats.time(slot.start)}</strong>
      {isOtherPerson && ` ${personOf(catalog, slot.appointmentType, [slot.calendar])}`}
    </button>
  );
}
