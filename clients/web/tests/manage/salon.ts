/** A booking and an offer, as a link's page has them. */
import type { OwnBooking, OwnEntry } from "../../pages/manage/desk.js";
import type { Catalog } from "../../src/api/model.js";
import { SLOT } from "../booking/desk.js";

export const CATALOG: Catalog = {
  businessName: "Demo salon",
  contact: { email: "", phone: "+49 30 23125 000", location: "" },
  types: [],
  calendars: new Map(),
};

export const BOOKING: OwnBooking = {
  name: "businesses/demo/bookings/1",
  appointmentType: SLOT.appointmentType,
  calendars: [SLOT.calendar],
  start: SLOT.start,
  end: SLOT.end,
  status: "confirmed",
  version: 1n,
  timeZone: "Europe/Berlin",
  language: "en",
};

export const ENTRY: OwnEntry = {
  name: "businesses/demo/waitlist/1",
  appointmentType: SLOT.appointmentType,
  offer: { name: "holds/1", slot: SLOT, expire: SLOT.start, until: SLOT.start },
  language: "en",
  customer: undefined,
  holder: "kim",
};
