/** A design of one's own: live slots from the hook, and a booking from the session; nothing else. */
import "./board.css";
import {
  type BookingState,
  type Catalog,
  createSession,
  createSlotcast,
  type Session,
  type Slot,
  SlotcastProvider,
  useOpenSlots,
} from "@slotcast/widget";
import { useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { NOT_SERVED, readDemo } from "../demo.js";

const ROWS = 12;
const DAYS = 7;
const DAY_MS = 86_400_000;

const root = document.getElementById("root");
if (root) void open(root);

async function open(root: HTMLElement): Promise<void> {
  try {
    const slotcast = createSlotcast(await readDemo());
    const catalog = await slotcast.catalog();
    const session = createSession(slotcast);
    addEventListener("pagehide", () => session.leave());
    createRoot(root).render(
      <SlotcastProvider slotcast={slotcast}>
        <Board catalog={catalog} session={session} />
      </SlotcastProvider>,
    );
  } catch {
    root.textContent = NOT_SERVED;
  }
}

function Board({ catalog, session }: { catalog: Catalog; session: Session }) {
  const [query] = useState(nextDays);
  const open = useOpenSlots(query);
  const state = useSyncExternalStore(session.subscribe, session.state);
  const held = state.step === "details" ? state.hold.slot : null;
  const isStale = open.freshness !== "fresh";
  return (
    <section className="board" aria-label="The next open times">
      <p role="status">{saidOf(state, isStale, catalog)}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">What</th>
            <th scope="col">With</th>
            <th scope="col">Known open</th>
            <th scope="col">Choose</th>
          </tr>
        </thead>
        <tbody className={isStale ? "stale" : ""}>
          {open.slots.slice(0, ROWS).map((slot) => (
            <tr key={slot.key}>
              <td className="at">
                <time dateTime={slot.start.toISOString()}>{day(slot.start)}</time>
              </td>
              <td>{typeName(catalog, slot)}</td>
              <td>{catalog.calendars.get(slot.calendar)?.displayName}</td>
              <td className="known">{isStale ? open.asOf && clock(open.asOf) : "now"}</td>
              <td className="take">
                {held?.key === slot.key ? (
                  <Confirm session={session} />
                ) : (
                  <button
                    type="button"
                    aria-disabled={isStale || held !== null}
                    aria-label={`Hold ${typeName(catalog, slot)}, ${day(slot.start)}`}
                    onClick={() => {
                      if (open.isOffered(slot)) choose(session, slot);
                    }}
                  >
                    Hold
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Confirm({ session }: { session: Session }) {
  return (
    <>
      <button type="button" onClick={() => session.submit(AS_A_GUEST)}>
        Book
      </button>{" "}
      <button type="button" className="plain" onClick={() => session.back()}>
        Let go
      </button>
    </>
  );
}

const AS_A_GUEST = {
  customer: {
    displayName: "A guest of the board",
    email: "",
    phone: "",
    timeZone: "",
    language: "en",
  },
  fields: {},
};

function choose(session: Session, slot: Slot): void {
  if (session.state().step === "done") session.restart();
  session.choose(slot, false);
}

function saidOf(state: BookingState, isStale: boolean, catalog: Catalog): string {
  if (isStale) return "What is open is not known at the moment.";
  if (state.step === "details")
    return state.problem
      ? `Not booked: ${state.problem.message}`
      : `Held for you until ${clock(state.hold.expire)}: book it, or let it go.`;
  if (state.step === "done")
    return `Booked: ${day(state.booking.start)}. (${state.booking.status})`;
  if (state.step === "time" && state.lost)
    return `Gone: ${typeName(catalog, state.lost.slot)}, ${day(state.lost.slot.start)}.`;
  return state.problem
    ? `Not held: ${state.problem.message}`
    : "The first click holds a time, the second books it.";
}

function nextDays() {
  const start = new Date();
  return {
    appointmentTypes: [],
    calendars: [],
    start,
    end: new Date(start.getTime() + DAYS * DAY_MS),
  };
}

function typeName(catalog: Catalog, slot: Slot): string {
  return catalog.types.find((type) => type.name === slot.appointmentType)?.displayName ?? "";
}

function day(instant: Date): string {
  const parts = {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  } as const;
  return instant.toLocaleString("en-GB", parts);
}

function clock(instant: Date): string {
  return instant.toLocaleTimeString("en-GB");
}
