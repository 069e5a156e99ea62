import { BackButton } from "../../src/widget/parts.js";
import { Summary } from "../../src/widget/Summary.js";
import { ScreenHeading } from "../../src/widget/screen.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { BookingProps } from "./BookingScreens.js";
import type { Screen } from "./flow.js";
import { SentNotice, StaleLine } from "./parts.js";
import { useSay } from "./saying.js";

type MoveProps = BookingProps & { readonly screen: Extract<Screen, { at: "move" }> };

/** Both times, before it is moved: nothing is held meanwhile. */
export function MoveScreen({ managing, view, screen }: MoveProps) {
  const { catalog, booking } = view;
  const { slot, isAnyone, sending } = screen;
  const say = useSay();
  return (
    <div className="slotcast-details">
      <header className="slotcast-header">
        <BackButton onBack={() => managing.tell({ is: "back" })} isDisabled={sending !== "no"} />
        <ScreenHeading>{say("moveQuestion")}</ScreenHeading>
      </header>
      <StaleLine isStale={view.isStale} />
      <div className="manage-changes">
        <section className="manage-old" aria-label={say("soFar")}>
          <p className="manage-name">{say("soFar")}</p>
          <Summary catalog={catalog} {...booking} />
        </section>
        <section className="slotcast-held" aria-label={say("newTime")}>
          <p className="manage-name">{say("newTime")}</p>
          <Summary
            catalog={catalog}
            appointmentType={slot.appointmentType}
            calendars={isAnyone ? [] : [slot.calendar]}
            start={slot.start}
            end={slot.end}
          />
        </section>
      </div>
      <SentNotice {...screen} />
      <div className="manage-actions">
        <MoveButton {...{ managing, view, screen }} />
      </div>
    </div>
  );
}

function MoveButton({ managing, screen }: MoveProps) {
  const { text } = useSpeaking();
  const say = useSay();
  const isSending = screen.sending === "sending";
  const labels = { no: say("moveNow"), sending: say("moving"), unknown: text("sendAgain") };
  return (
    <button
      type="button"
      className="slotcast-button slotcast-primary"
      aria-disabled={isSending}
      aria-busy={isSending}
      onClick={() => managing.move()}
    >
      {labels[screen.sending]}
    </button>
  );
}
