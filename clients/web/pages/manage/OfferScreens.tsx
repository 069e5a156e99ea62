import { useEffect, useState } from "react";
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

/** A time that is offered to who waits. */
export function OfferScreens(props: OfferProps) {
  const { screen } = props.view;
  return screen.at === "decline" ? (
    <DeclineScreen {...props} screen={screen} />
  ) : (
    <Offered {...props} screen={screen} />
  );
}

type OfferedProps = OfferProps & { readonly screen: OfferScreen };

function Offered({ managing, view, screen }: OfferedProps) {
  const { catalog, entry } = view;
  const { slot } = entry.offer;
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

function DeclineScreen({ managing, screen }: OfferedProps) {
  const { text } = useSpeaking();
  const say = useSay();
  const { sending } = screen;
  const labels = {
    no: say("declineNow"),
    sending: say("declining"),
    unknown: text("sendAgain"),
  };
  return (
    <div className="slotcast-details">
      <header className="slotcast-header">
        <BackButton onBack={() => managing.tell({ is: "back" })} isDisabled={sending !== "no"} />
        <ScreenHeading>{say("declineQuestion")}</ScreenHeading>
      </header>
      <p>{say("declineHint")}</p>
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
