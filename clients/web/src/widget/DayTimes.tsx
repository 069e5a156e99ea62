import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Slot } from "../api/model.js";
import { useSpeaking } from "../words/provider.js";
import { useAnnounce } from "./announcer.js";
import { neighbour, PARTS_OF_DAY, partOfDay, type Start } from "./days.js";
import { type Shown, usePresence } from "./presence.js";
import { Heading } from "./screen.js";

export interface TimesProps {
  /** `2030-01-31` */
  readonly day: string;
  readonly starts: readonly Start[];
  readonly isStale: boolean;
  readonly isClosed: boolean;
  /** More than one may come at a time. */
  readonly isGroup: boolean;
  readonly holding: Slot | null;
  readonly onChoose: (start: Start) => void;
}

/** The times of one day, which come and go while one looks. */
export function DayTimes(props: TimesProps) {
  const { day, starts, isClosed } = props;
  const { formats, text } = useSpeaking();
  const [isPointedAt, setPointedAt] = useState(false);
  const shown = usePresence(starts, `${day} ${formats.timeZone}`, isPointedAt);
  const list = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useKeptFocus(shown, starts, list, heading);
  useAnnouncedChanges(shown, day);
  const noon = new Date(`${day}T12:00:00Z`);
  return (
    <div
      ref={list}
      className="slotcast-times"
      onPointerEnter={() => setPointedAt(true)}
      onPointerLeave={() => setPointedAt(false)}
    >
      <Heading below={1} className="slotcast-day-name" focus={heading}>
        {dayName(noon, formats.locale)}
      </Heading>
      {shown.length === 0 && (
        <p className="slotcast-empty">{text(isClosed ? "closedDay" : "emptyDay")}</p>
      )}
      {PARTS_OF_DAY.map((part) => {
        const ofPart = shown.filter(({ start }) => partOfDay(formats.hour(start.at)) === part);
        return ofPart.length > 0 && <Part key={part} {...props} name={text(part)} shown={ofPart} />;
      })}
    </div>
  );
}

/** The day is one of a calendar, not an instant: no zone may shift it. */
function dayName(noon: Date, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: "long",
    day: "numeric",
    month: "long",
    timeZone: "UTC",
  }).format(noon);
}

function Part(props: TimesProps & { name: string; shown: readonly Shown[] }) {
  const { formats } = useSpeaking();
  const isWide = props.isGroup || formats.hourCycle === "h12";
  return (
    <fieldset className="slotcast-part">
      <legend className="slotcast-part-name">{props.name}</legend>
      <div className="slotcast-starts" data-is-wide={isWide}>
        {props.shown.map((each) => (
          <Time key={each.start.at.getTime()} {...props} {...each} />
        ))}
      </div>
    </fieldset>
  );
}

function Time({ start, is, isStale, isGroup, holding, onChoose }: TimesProps & Shown) {
  const { formats, text } = useSpeaking();
  const isHeld = holding?.start.getTime() === start.at.getTime();
  const isDisabled = isStale || is === "leaving" || holding !== null;
  return (
    <button
      type="button"
      className={`slotcast-time slotcast-time-${is}`}
      data-start={start.at.getTime()}
      aria-disabled={isDisabled}
      aria-busy={isHeld}
      {...(is === "leaving" && { tabIndex: -1 })}
      onClick={() => isDisabled || onChoose(start)}
    >
      <bdi>{formats.time(start.at)}</bdi>
      {isGroup && (
        <span className="slotcast-seats">{text("seatsLeft", { count: start.seatsLeft })}</span>
      )}
    </button>
  );
}

type Focusable = { readonly current: HTMLElement | null };

/** The time that had the focus and is going hands it to its neighbour before it is gone. */
function useKeptFocus(
  shown: readonly Shown[],
  starts: readonly Start[],
  list: Focusable,
  heading: Focusable,
): void {
  useLayoutEffect(() => {
    const root = list.current?.getRootNode() as Document | ShadowRoot | undefined;
    const focused = root?.activeElement;
    if (!(focused instanceof HTMLElement) || !list.current?.contains(focused)) return;
    const ms = Number(focused.dataset["start"]);
    if (!shown.some(({ start, is }) => is === "leaving" && start.at.getTime() === ms)) return;
    const next = neighbour(starts, ms);
    const button =
      next && list.current.querySelector<HTMLElement>(`[data-start="${next.at.getTime()}"]`);
    (button ?? heading.current)?.focus();
  }, [shown, starts, list, heading]);
}

/** What comes and goes is heard too: one sentence for all of it. */
function useAnnouncedChanges(shown: readonly Shown[], day: string): void {
  const { text, formats } = useSpeaking();
  const announce = useAnnounce();
  const changes = useRef({
    day,
    heard: shown,
    taken: new Set<number>(),
    opened: new Set<number>(),
  });
  useEffect(() => {
    if (changes.current.day !== day)
      changes.current = { day, heard: shown, taken: new Set(), opened: new Set() };
    const { heard, taken, opened } = changes.current;
    const before = statesOf(heard);
    for (const [ms, is] of statesOf(shown)) {
      if (is === "leaving" && before.get(ms) !== "leaving") move(ms, opened, taken);
      if (is === "new" && before.get(ms) !== "new") move(ms, taken, opened);
    }
    changes.current.heard = shown;
    if (taken.size + opened.size === 0) return;
    announce(() => {
      const isTaken = taken.size > 0;
      const [...changed] = isTaken ? taken : opened;
      taken.clear();
      opened.clear();
      const [only, ...more] = changed;
      if (only === undefined) return null;
      const count = changed.length;
      if (more.length > 0) return text(isTaken ? "severalTaken" : "severalOpened", { count });
      return text(isTaken ? "justTaken" : "justOpened", { time: formats.time(new Date(only)) });
    });
  }, [shown, day, announce, text, formats]);
}

function statesOf(shown: readonly Shown[]): Map<number, Shown["is"]> {
  return new Map(shown.map(({ start, is }) => [start.at.getTime(), is]));
}

/** What opens again before it was told to be taken is no news, and the other way round. */
function move(ms: number, from: Set<number>, to: Set<number>): void {
  if (!from.delete(ms)) to.add(ms);
}
