import { useId, useState } from "react";
import { secondsLater } from "../words/format.js";
import { useSpeaking } from "../words/provider.js";
import { Icon } from "./parts.js";
import { zoneLabel } from "./Summary.js";

export interface ZoneProps {
  readonly businessName: string;
  /** Where the appointment is; null: in several zones. */
  readonly businessZone: string | null;
  /** Of the day that is looked at: summer time may differ from now. */
  readonly instant: Date;
}

/** By whose clock the times are, and how to have another. */
export function ZoneLine(props: ZoneProps) {
  const { text, formats } = useSpeaking();
  const [isOpen, setOpen] = useState(false);
  const settingsId = useId();
  const zone = `${zoneLabel(formats.timeZone)} (${formats.offsetName(props.instant)})`;
  return (
    <div className="slotcast-zone-line">
      <Icon name="globe" />
      <div>
        <p>
          {text("timesIn", { zone })} <Difference {...props} />{" "}
          <button
            type="button"
            className="slotcast-link"
            aria-expanded={isOpen}
            aria-controls={isOpen ? settingsId : undefined}
            onClick={() => setOpen(!isOpen)}
          >
            {text("changeZone")}
          </button>
        </p>
        {isOpen && <ClockSettings id={settingsId} />}
      </div>
    </div>
  );
}

function Difference({ businessName, businessZone, instant }: ZoneProps) {
  const { text, formats } = useSpeaking();
  if (!businessZone) return null;
  const later = secondsLater(formats.timeZone, businessZone, instant);
  if (later === 0) return null;
  const values = { business: businessName, difference: formats.duration(Math.abs(later)) };
  return (
    <strong className="slotcast-difference">
      {text(later > 0 ? "zoneLater" : "zoneEarlier", values)}
    </strong>
  );
}

function ClockSettings({ id }: { id: string }) {
  const { text, formats, setTimeZone, setHourCycle } = useSpeaking();
  const selectId = useId();
  return (
    <div id={id} className="slotcast-settings">
      <label htmlFor={selectId}>{text("timeZone")}</label>
      <select
        id={selectId}
        className="slotcast-input"
        value={formats.timeZone}
        onChange={(event) => setTimeZone(event.target.value)}
      >
        {zonesWith(formats.timeZone).map((zone) => (
          <option key={zone} value={zone}>
            {zoneLabel(zone)}
          </option>
        ))}
      </select>
      <fieldset className="slotcast-clock">
        <legend className="slotcast-unseen">{text("clock")}</legend>
        {(["h12", "h23"] as const).map((cycle) => (
          <button
            key={cycle}
            type="button"
            aria-pressed={formats.hourCycle === cycle}
            onClick={() => setHourCycle(cycle)}
          >
            {text(cycle === "h12" ? "hours12" : "hours24")}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

/** All zones, and the one in use, which may be known by another name. */
function zonesWith(timeZone: string): readonly string[] {
  const zones = Intl.supportedValuesOf("timeZone");
  return zones.includes(timeZone) ? zones : [timeZone, ...zones];
}
