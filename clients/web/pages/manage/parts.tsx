import { type ReactNode, useEffect, useState } from "react";
import type { Catalog } from "../../src/api/model.js";
import { Icon, Notice, ProblemNotice } from "../../src/widget/parts.js";
import { ScreenHeading } from "../../src/widget/screen.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { OwnBooking } from "./desk.js";
import type { Screen } from "./flow.js";
import { useSay } from "./saying.js";

export function Header({ business, children }: { business: string; children: ReactNode }) {
  return (
    <header className="slotcast-header">
      <p className="slotcast-business">
        <bdi>{business}</bdi>
      </p>
      <ScreenHeading>{children}</ScreenHeading>
    </header>
  );
}

/** Where it takes place. */
export function Place({ catalog }: { catalog: Catalog }) {
  const say = useSay();
  if (!catalog.contact.location) return null;
  return (
    <dl className="slotcast-summary manage-place">
      <div className="slotcast-row">
        <dt>{say("where")}</dt>
        <dd dir="auto">{catalog.contact.location}</dd>
      </div>
    </dl>
  );
}

/** How to reach the business: links that call or write. */
export function ContactLinks({ catalog }: { catalog: Catalog }) {
  const { phone, email } = catalog.contact;
  return (
    <>
      {phone && (
        <a href={`tel:${phone.replace(/[^+\d]/g, "")}`}>
          <bdi>{phone}</bdi>
        </a>
      )}
      {phone && email && " · "}
      {email && (
        <a href={`mailto:${email}`}>
          <bdi>{email}</bdi>
        </a>
      )}
    </>
  );
}

export function StaleLine({ isStale }: { isStale: boolean }) {
  const say = useSay();
  return (
    <div role="status" className="slotcast-stale">
      {isStale && (
        <p>
          <Icon name="cloud" />
          {say("stale")}
        </p>
      )}
    </div>
  );
}

/** What became of what was sent. */
export function SentNotice({
  sending,
  problem,
}: Pick<Extract<Screen, { at: "cancel" }>, "sending" | "problem">) {
  const say = useSay();
  if (sending === "unknown") return <Notice tone="bad">{say("unknown")}</Notice>;
  return problem ? <ProblemNotice problem={problem} /> : null;
}

const LOOK_MS_MAX = 60_000;

/** Until when a booking can be changed by who comes; null: until it begins. */
export function deadlineOf(catalog: Catalog, booking: OwnBooking): Date | null {
  const type = catalog.types.find(({ name }) => name === booking.appointmentType);
  const notice = type?.cancellationNoticeSeconds ?? 0;
  return notice > 0 ? new Date(booking.start.getTime() - 1000 * notice) : null;
}

/** Whether an instant has passed, by the service's clock. */
export function useHasPassed(instant: Date, now: () => number): boolean {
  const [hasPassed, setHasPassed] = useState(() => now() >= instant.getTime());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const leftMs = instant.getTime() - now();
      setHasPassed(leftMs <= 0);
      if (leftMs > 0) timer = setTimeout(look, Math.min(leftMs + 50, LOOK_MS_MAX));
    };
    look();
    return () => clearTimeout(timer);
  }, [instant, now]);
  return hasPassed;
}

/** A day and a time, as they stand in a sentence. */
export function useInstant(): (instant: Date) => string {
  const { formats } = useSpeaking();
  return (instant) => `${formats.day(instant)}, ${formats.time(instant)}`;
}
