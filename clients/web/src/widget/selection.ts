/** What a visitor has to say before times can be shown. Pure. */
import { fullName } from "../api/client.js";
import type { AppointmentType, Calendar, Catalog, Slot } from "../api/model.js";

/** An empty `calendar` leaves the person to the service. */
export interface Selection {
  readonly type: AppointmentType;
  readonly durationSeconds: number;
  readonly calendar: string;
}

/** What the page has chosen already, by id or by name. */
export interface Preselected {
  readonly appointmentType?: string | undefined;
  readonly calendar?: string | undefined;
  readonly durationMinutes?: number | undefined;
}

/** What may be chosen: of each type, its durations and people; one of them is no question. */
export interface Offer {
  readonly types: readonly AppointmentType[];
  readonly calendar: string;
}

export function offerOf(catalog: Catalog, business: string, preselected: Preselected): Offer {
  const calendar = fullName(preselected.calendar ?? "", `${business}/calendars`);
  const wanted = fullName(preselected.appointmentType ?? "", `${business}/appointmentTypes`);
  const ofCalendar = catalog.types.filter((type) => !calendar || isOn(type, calendar));
  const types = ofCalendar
    .filter((type) => !wanted || type.name === wanted)
    .map((type) => withDuration(type, preselected.durationMinutes));
  return { types, calendar };
}

/** A duration that a type does not have is no choice of it. */
function withDuration(type: AppointmentType, minutes = 0): AppointmentType {
  const durationsSeconds = type.durationsSeconds.filter((each) => each === 60 * minutes);
  return durationsSeconds.length > 0 ? { ...type, durationsSeconds } : type;
}

function isOn(type: AppointmentType, calendar: string): boolean {
  return type.anyOf.includes(calendar) || type.allOf.includes(calendar);
}

/** The people among whom one chooses; none where there is nothing to choose. */
export function peopleOf(
  type: AppointmentType,
  offer: Offer,
  catalog: Catalog,
): readonly Calendar[] {
  if (offer.calendar || type.anyOf.length < 2) return [];
  return type.anyOf.flatMap((name) => catalog.calendars.get(name) ?? []);
}

export function firstSelection(type: AppointmentType, offer: Offer): Selection {
  const calendar = type.anyOf.includes(offer.calendar) ? offer.calendar : "";
  return { type, durationSeconds: type.durationsSeconds[0] ?? 0, calendar };
}

/** The selection where there is only one; null where there is something to choose. */
export function onlySelection(offer: Offer, catalog: Catalog): Selection | null {
  const [type, ...others] = offer.types;
  if (!type || others.length > 0) return null;
  if (type.durationsSeconds.length > 1 || peopleOf(type, offer, catalog).length > 0) return null;
  return firstSelection(type, offer);
}

/** What would have led to this slot. */
export function selectionOf(slot: Slot, catalog: Catalog): Selection | null {
  const type = catalog.types.find(({ name }) => name === slot.appointmentType);
  if (!type) return null;
  const durationSeconds = (slot.end.getTime() - slot.start.getTime()) / 1000;
  return {
    type,
    durationSeconds,
    calendar: type.anyOf.includes(slot.calendar) ? slot.calendar : "",
  };
}

/** True: the service chooses the calendar when the time is booked. */
export function isLeftToService({ type, calendar }: Selection): boolean {
  return calendar === "" && type.anyOf.length > 1;
}

/** Whom an appointment is with: the calendars that could be chosen, not the rooms that come with them. */
export function personOf(
  catalog: Catalog,
  appointmentType: string,
  calendars: readonly string[],
): string {
  const type = catalog.types.find(({ name }) => name === appointmentType);
  return calendars
    .filter((name) => type?.anyOf.includes(name))
    .flatMap((name) => catalog.calendars.get(name)?.displayName ?? [])
    .join(", ");
}
