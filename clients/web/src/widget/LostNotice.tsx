import { useEffect, useRef } from "react";
import type { Catalog, Slot } from "../api/model.js";
import type { LostSlot } from "../booking/state.js";
import { useSpeaking } from "../words/provider.js";
import { keepFocus } from "./keepFocus.js";
import { Icon } from "./parts.js";
import { personOf } from "./selection.js";

const ALTERNATIVES_MAX = 6;

export interface LostProps {
  readonly catalog: Catalog;
  readonly lost: LostSlot;
  readonly isStale: boolean;
  /** True: with whom it is does not matter, so that times are told apart by their start only. */
  readonly isAnyone: boolean;
  readonly onChoose: (slot: Slot) => void;
  /** False: it is known to be gone as well. */
  readonly mayBeOpen: (slot: Slot) => boolean;
}

/** What was chosen is gone; what there is instead. */
export function LostNotice(props: LostProps) {
  const { lost } = props;
  const { text, formats } = useSpeaking();
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => notice.current?.focus(), []);
  const alternatives = alternativesOf(props).slice(0, ALTERNATIVES_MAX);
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
              <Alternative {...props} slot={slot} />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function alternativesOf({ lost, isAnyone, mayBeOpen }: LostProps): readonly Slot[] {
  const open = lost.alternatives.filter(mayBeOpen);
  if (!isAnyone) return open;
  const byStart = new Map(open.toReversed().map((slot) => [slot.start.getTime(), slot]));
  return open.filter((slot) => byStart.get(slot.start.getTime()) === slot);
}

/** Said is what differs from the time that is lost: the day, the person. */
function Alternative({
  catalog,
  lost,
  isStale,
  isAnyone,
  onChoose,
  slot,
}: LostProps & { slot: Slot }) {
  const { formats } = useSpeaking();
  const isOtherDay = formats.dayKey(slot.start) !== formats.dayKey(lost.slot.start);
  const isOtherPerson = !isAnyone && slot.calendar !== lost.slot.calendar;
  return (
    <button
      type="button"
      className="slotcast-alternative"
      aria-disabled={isStale}
      onClick={(event) => {
        if (isStale) return;
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
