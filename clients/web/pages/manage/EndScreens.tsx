import { Icon } from "../../src/widget/parts.js";
import { Summary } from "../../src/widget/Summary.js";
import { ScreenHeading } from "../../src/widget/screen.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { View } from "./flow.js";
import { Place } from "./parts.js";
import { useSay } from "./saying.js";
import type { ManageKey } from "./words.js";

/** What has become of what a link was about, by the status that CAPABILITY_ENDED tells. */
const ENDS: Readonly<Record<string, ManageKey>> = {
  CANCELLED: "goneCancelled",
  DECLINED: "goneDeclined",
  COMPLETED: "gonePassed",
  NO_SHOW: "gonePassed",
  PASSED: "gonePassed",
  TAKEN: "goneTaken",
  LEFT: "goneLeft",
  LAPSED: "goneLapsed",
  EXPIRED: "goneExpired",
};

export function GoneScreen({ status }: { status: string }) {
  const say = useSay();
  return (
    <div className="slotcast-done">
      <Medal icon="clock" />
      <header className="slotcast-header">
        <ScreenHeading>{say(ENDS[status] ?? "goneOther")}</ScreenHeading>
        <p className="slotcast-hint">{say(status === "TAKEN" ? "goneTakenHint" : "goneHint")}</p>
      </header>
    </div>
  );
}

/** A link that is damaged, or that this service has not made. */
export function UnknownScreen() {
  const say = useSay();
  return (
    <div className="slotcast-done">
      <Medal icon="info" />
      <header className="slotcast-header">
        <ScreenHeading>{say("badLink")}</ScreenHeading>
        <p className="slotcast-hint">{say("badLinkHint")}</p>
      </header>
    </div>
  );
}

export function DoneScreen({ what, catalog, booking }: Extract<View, { is: "done" }>) {
  const { text } = useSpeaking();
  const say = useSay();
  const isCancelled = what === "cancelled";
  const isPending = booking.status === "pending";
  const heading = isCancelled ? say("cancelled") : text(isPending ? "pending" : "booked");
  return (
    <div className="slotcast-done">
      <Medal icon={isPending && !isCancelled ? "clock" : "check"} />
      <header className="slotcast-header">
        <ScreenHeading>{heading}</ScreenHeading>
        <p className="slotcast-hint">{say(isCancelled ? "cancelledHint" : "takenHint")}</p>
      </header>
      <Summary catalog={catalog} {...booking} />
      {!isCancelled && <Place catalog={catalog} />}
    </div>
  );
}

function Medal({ icon }: { icon: "check" | "clock" | "info" }) {
  return (
    <div className="slotcast-medal">
      <Icon name={icon} />
    </div>
  );
}
