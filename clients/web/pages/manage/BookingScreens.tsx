import { useCallback, useEffect, useRef } from "react";
import { useAnnounce } from "../../src/widget/announcer.js";
import { usePrefetch } from "../../src/widget/Deferred.js";
import { Notice, ProblemNotice } from "../../src/widget/parts.js";
import { Summary } from "../../src/widget/Summary.js";
import type { LookedAt } from "../../src/widget/useMonth.js";
import { ZoneLine } from "../../src/widget/ZoneLine.js";
import { useSpeaking } from "../../src/words/provider.js";
import { CancelScreen } from "./CancelScreen.js";
import type { Screen, WithBooking } from "./flow.js";
import { MoveScreen } from "./MoveScreen.js";
import type { Managing } from "./managing.js";
import {
  ContactLinks,
  deadlineOf,
  Header,
  Place,
  StaleLine,
  useHasPassed,
  useInstant,
} from "./parts.js";
import { useSay } from "./saying.js";
import { TimesScreen, timeScreen } from "./TimesScreen.js";

export interface BookingProps {
  readonly managing: Managing;
  readonly view: WithBooking;
}

export function BookingScreens(props: BookingProps) {
  const { screen } = props.view;
  const lookedAt: LookedAt = useRef<string | null>(null);
  usePrefetch(timeScreen);
  switch (screen.at) {
    case "look":
      return <LookScreen {...props} screen={screen} />;
    case "times":
      return <TimesScreen {...props} screen={screen} lookedAt={lookedAt} />;
    case "move":
      return <MoveScreen {...props} screen={screen} />;
    case "cancel":
      return <CancelScreen {...props} screen={screen} />;
  }
}

type LookProps = BookingProps & { readonly screen: Extract<Screen, { at: "look" }> };

/** The appointment, and what can be done about it. */
function LookScreen(props: LookProps) {
  const { managing, view, screen } = props;
  const { catalog, booking } = view;
  const { text } = useSpeaking();
  const say = useSay();
  useMovedAnnounced(screen.isMoved);
  const isTooLate = useIsTooLate(props);
  return (
    <div className="slotcast-details">
      <Header business={catalog.businessName}>{say("title")}</Header>
      <StaleLine isStale={view.isStale} />
      {screen.isMoved && <Notice tone="plain">{say("moved")}</Notice>}
      {screen.problem && <LookAgain {...props} />}
      <Summary catalog={catalog} {...booking} />
      <Place catalog={catalog} />
      {booking.status === "pending" && (
        <p className="slotcast-hint">{text("pendingHint", { business: catalog.businessName })}</p>
      )}
      <ZoneLine
        businessName={catalog.businessName}
        businessZone={booking.timeZone}
        instant={booking.start}
      />
      {isTooLate ? <TooLate {...props} /> : <Actions managing={managing} view={view} />}
    </div>
  );
}

function useMovedAnnounced(isMoved: boolean): void {
  const say = useSay();
  const announce = useAnnounce();
  useEffect(() => {
    if (isMoved) announce(() => say("moved"));
  }, [isMoved, announce, say]);
}

function useIsTooLate({ managing, view, screen }: LookProps): boolean {
  const { clock } = managing.desk.slotcast;
  const now = useCallback(() => clock.now(), [clock]);
  const deadline = deadlineOf(view.catalog, view.booking) ?? view.booking.start;
  const ms = deadline.getTime();
  const last = useRef(deadline);
  // The same object while it is the same instant: an effect hangs on it.
  if (last.current.getTime() !== ms) last.current = deadline;
  const hasPassed = useHasPassed(last.current, now);
  return hasPassed || screen.problem?.reason === "CANCELLATION_NOTICE_PASSED";
}

/** Something was wanted that cannot be done to the booking as it was seen. */
function LookAgain({ screen }: LookProps) {
  const say = useSay();
  if (!screen.problem || screen.problem.reason === "CANCELLATION_NOTICE_PASSED") return null;
  if (screen.problem.reason === "VERSION_MISMATCH")
    return <Notice tone="bad">{say("changed")}</Notice>;
  return <ProblemNotice problem={screen.problem} />;
}

/** Refused: until when it could be changed, and whom to tell instead. */
function TooLate({ view }: LookProps) {
  const { catalog, booking } = view;
  const { contact, businessName: business } = catalog;
  const say = useSay();
  const instant = useInstant();
  const until = instant(deadlineOf(catalog, booking) ?? booking.start);
  const ask = contact.phone ? "call" : contact.email ? "write" : "contact";
  return (
    <Notice tone="bad">
      <p>{say("tooLate", { until })}</p>
      <p>
        {say(ask, { business })} <ContactLinks catalog={catalog} />
      </p>
    </Notice>
  );
}

function Actions({ managing, view }: BookingProps) {
  const { catalog, booking } = view;
  const say = useSay();
  const instant = useInstant();
  const deadline = deadlineOf(catalog, booking);
  const hasContact = catalog.contact.phone !== "" || catalog.contact.email !== "";
  return (
    <>
      <div className="manage-actions">
        <button
          type="button"
          className="slotcast-button slotcast-primary"
          onClick={() => managing.tell({ is: "wantsTimes" })}
        >
          {say("move")}
        </button>
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          onClick={() => managing.tell({ is: "wantsToCancel" })}
        >
          {say("cancel")}
        </button>
      </div>
      {deadline && <p className="slotcast-hint">{say("until", { until: instant(deadline) })}</p>}
      {hasContact && (
        <p className="manage-contact">
          {say("questions", { business: catalog.businessName })} <ContactLinks catalog={catalog} />
        </p>
      )}
    </>
  );
}
