import { useEffect, useState } from "react";
import type { Slot } from "../../src/api/model.js";
import { Countdown } from "../../src/widget/Countdown.js";
import { BackButton, Notice } from "../../src/widget/parts.js";
import { Summary } from "../../src/widget/Summary.js";
import { ScreenHeading } from "../../src/widget/screen.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { OfferScreen, WithOffer } from "./flow.js";
import type { Managing } from "./managing.js";
import { Header, Place, SentNotice, StaleLine } from "./parts.js";
import { useSay } from "./saying.js";

export interface OfferProps {
  readonly managing: Managing;
  readonly view: WithOffer;
}

/** What one waits for, or a time that is offered. */
export function OfferScreens(props: OfferProps) {
  const { screen, entry } = props.view;
  if (screen.at === "decline") return <DeclineScreen {...props} screen={screen} />;
  if (!entry.offer) return <WaitingScreen {...props} />;
  return <Offered {...props} screen={screen} slot={entry.offer.slot} />;
}

type OfferedProps = OfferProps & { readonly screen: OfferScreen };

/** Nothing is offered, as yet. */
function WaitingScreen({ managing, view }: OfferProps) {
  const { catalog, entry } = view;
  const { text } = useSpeaking();
  const say = useSay();
  const type = catalog.types.find(({ name }) => name === entry.appointmentType);
  return (
    <div className="slotcast-details">
      <Header business={catalog.businessName}>{say("waiting")}</Header>
      <StaleLine isStale={view.isStale} />
      <section className="slotcast-held">
        <dl className="slotcast-summary">
          <div className="slotcast-row">
            <dt>{text("appointment")}</dt>
            <dd dir="auto">{type?.displayName}</dd>
          </div>
        </dl>
        <Place catalog={catalog} />
      </section>
      <p>{say("waitingHint")}</p>
      <div className="manage-actions">
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          onClick={() => managing.tell({ is: "wantsToDecline" })}
        >
          {say("leave")}
        </button>
      </div>
    </div>
  );
}

function Offered({ managing, view, screen, slot }: OfferedProps & { readonly slot: Slot }) {
  const { catalog } = view;
  const say = useSay();
  return (
    <div className="slotcast-details">
      <Header business={catalog.businessName}>{say("offered")}</Header>
      <StaleLine isStale={view.isStale} />
      <section className="slotcast-held">
        <Summary
          catalog={catalog}
          appointmentType={slot.appointmentType}
          calendars={[slot.calendar]}
          start={slot.start}
          end={slot.end}
        />
        <Place catalog={catalog} />
        <TimeLeft managing={managing} view={view} />
      </section>
      <SentNotice {...screen} />
      <div className="manage-actions">
        <TakeButton managing={managing} sending={screen.sending} />
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          aria-disabled={screen.sending !== "no"}
          onClick={() => screen.sending === "no" && managing.tell({ is: "wantsToDecline" })}
        >
          {say("decline")}
        </button>
      </div>
    </div>
  );
}

/** How long one may still think; after that it can be taken as long as nobody else was offered it. */
function TimeLeft({ managing, view }: OfferProps) {
  const { catalog, entry } = view;
  const say = useSay();
  const isOver = useIsOver(managing);
  const type = catalog.types.find(({ name }) => name === entry.appointmentType);
  if (isOver) return <Notice tone="bad">{say("late")}</Notice>;
  return <Countdown session={managing} holdSeconds={type?.offerSeconds ?? 0} />;
}

function useIsOver(managing: Managing): boolean {
  const [isOver, setOver] = useState(() => managing.msLeft() === 0);
  useEffect(() => {
    const look = () => setOver(managing.msLeft() === 0);
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [managing]);
  return isOver;
}

function TakeButton({ managing, sending }: Pick<OfferScreen, "sending"> & { managing: Managing }) {
  const { text } = useSpeaking();
  const say = useSay();
  const labels = { no: say("take"), sending: say("taking"), unknown: text("sendAgain") };
  return (
    <button
      type="button"
      className="slotcast-button slotcast-primary"
      aria-disabled={sending === "sending"}
      aria-busy={sending === "sending"}
      onClick={() => managing.take()}
    >
      {labels[sending]}
    </button>
  );
}

const DECLINE = {
  question: "declineQuestion",
  hint: "declineHint",
  now: "declineNow",
  sending: "declining",
} as const;
const LEAVE = {
  question: "leaveQuestion",
  hint: "leaveHint",
  now: "leaveNow",
  sending: "leaving",
} as const;

function DeclineScreen({ managing, view, screen }: OfferedProps) {
  const { text } = useSpeaking();
  const say = useSay();
  const { sending } = screen;
  const keys = view.entry.offer ? DECLINE : LEAVE;
  const labels = { no: say(keys.now), sending: say(keys.sending), unknown: text("sendAgain") };
  return (
    <div className="slotcast-details">
      <header className="slotcast-header">
        <BackButton onBack={() => managing.tell({ is: "back" })} isDisabled={sending !== "no"} />
        <ScreenHeading>{say(keys.question)}</ScreenHeading>
      </header>
      <p>{say(keys.hint)}</p>
      <SentNotice {...screen} />
      <div className="manage-actions">
        <button
          type="button"
          className="slotcast-button manage-bad"
          aria-disabled={sending === "sending"}
          aria-busy={sending === "sending"}
          onClick={() => managing.leave()}
        >
          {labels[sending]}
        </button>
      </div>
    </div>
  );
}
