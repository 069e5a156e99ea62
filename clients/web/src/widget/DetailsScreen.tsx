import { useEffect, useRef, useState } from "react";
import type { Catalog } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { GivingDetails } from "../booking/state.js";
import { useSpeaking } from "../words/provider.js";
import { Countdown } from "./Countdown.js";
import { DetailsForm } from "./DetailsForm.js";
import type { Draft, Prefill } from "./draft.js";
import { BackButton, Notice } from "./parts.js";
import { Summary } from "./Summary.js";
import { ScreenHeading } from "./screen.js";

export interface DetailsProps {
  readonly catalog: Catalog;
  readonly session: Session;
  readonly state: GivingDetails;
  readonly prefill: Prefill | undefined;
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
}

/** Who comes, while the time is held for them. */
export function DetailsScreen(props: DetailsProps) {
  const { session, state } = props;
  const { text } = useSpeaking();
  return (
    <div className="slotcast-details">
      <header className="slotcast-header">
        <BackButton onBack={() => session.back()} isDisabled={state.sending !== "no"} />
        <ScreenHeading>{text("yourDetails")}</ScreenHeading>
      </header>
      <div className="slotcast-columns">
        <HeldTime {...props} />
        <DetailsForm {...props} />
      </div>
    </div>
  );
}

function HeldTime(props: DetailsProps) {
  const { catalog, state } = props;
  const { text } = useSpeaking();
  const { slot } = state.hold;
  const section = useRef<HTMLElement>(null);
  const [before, setBefore] = useState(state.holding);
  useEffect(() => {
    if (before === state.holding) return;
    setBefore(state.holding);
    // The button that was pressed is gone by now.
    if (before === "renewing" && state.holding === "held") section.current?.focus();
  }, [before, state.holding]);
  return (
    <section ref={section} className="slotcast-held" tabIndex={-1} aria-label={text("appointment")}>
      <Summary
        catalog={catalog}
        appointmentType={slot.appointmentType}
        calendars={[slot.calendar]}
        start={slot.start}
        end={slot.end}
      />
      <Holding {...props} />
    </section>
  );
}

function Holding({ catalog, session, state }: DetailsProps) {
  const { text } = useSpeaking();
  const type = catalog.types.find(({ name }) => name === state.hold.slot.appointmentType);
  if (state.holding === "held" || state.holding === "last")
    return <Countdown session={session} holdSeconds={type?.holdSeconds ?? 0} />;
  const isRenewing = state.holding === "renewing";
  return (
    <Notice tone="bad">
      <p>
        {text("expired")} {text("expiredHint")}
      </p>
      <button
        type="button"
        className="slotcast-button slotcast-secondary"
        aria-disabled={isRenewing}
        onClick={() => session.holdAgain()}
      >
        {text(isRenewing ? "renewing" : "holdAgain")}
      </button>
    </Notice>
  );
}
