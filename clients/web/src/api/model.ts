/** What the widget knows of a business and its slots. Names are resource names, `businesses/…/...`. */
import type { Closure, Schedule } from "../gen/slotcast/v1/catalog_service_pb.js";

/** A start that can be booked, on a calendar. */
export interface Slot {
  /** Tells it from all other slots. */
  readonly key: string;
  readonly appointmentType: string;
  readonly calendar: string;
  readonly start: Date;
  readonly end: Date;
  readonly seatsLeft: number;
}

/** Which slots to look at. An empty list means all; `end` is at most 62 days after `start`. */
export interface SlotQuery {
  readonly appointmentTypes: readonly string[];
  readonly calendars: readonly string[];
  readonly start: Date;
  readonly end: Date;
  /** Absent: the first duration of each type. */
  readonly durationSeconds?: number | undefined;
}

export interface AppointmentType {
  readonly name: string;
  readonly displayName: string;
  /** The first is meant where none is named. */
  readonly durationsSeconds: readonly number[];
  /** Among these one may choose, or leave it to the server. */
  readonly anyOf: readonly string[];
  readonly allOf: readonly string[];
  readonly requiresApproval: boolean;
  readonly capacity: number;
  readonly holdSeconds: number;
  /** How far away a start must be at least, and may be at most. */
  readonly noticeSeconds: number;
  readonly horizonSeconds: number;
  /** Until how long before its start it may be moved or cancelled by who comes. */
  readonly cancellationNoticeSeconds: number;
  /** How long it is kept for one of the waitlist to whom it is offered. */
  readonly offerSeconds: number;
}

export interface Calendar {
  readonly name: string;
  readonly displayName: string;
  readonly timeZone: string;
  /** The name of its opening hours. */
  readonly schedule: string;
}

/** When the calendars are open, by their schedules, and when they are closed all the same. */
export interface Hours {
  readonly schedules: readonly Schedule[];
  readonly closures: readonly Closure[];
}

/** How customers reach a business, and where they come to; any may be empty. */
export interface Contact {
  readonly email: string;
  readonly phone: string;
  readonly location: string;
}

export interface Catalog {
  readonly businessName: string;
  readonly contact: Contact;
  readonly types: readonly AppointmentType[];
  readonly calendars: ReadonlyMap<string, Calendar>;
}

/** A claim on a slot that expires by itself. */
export interface Hold {
  readonly name: string;
  readonly slot: Slot;
  readonly expire: Date;
}

/** What is wanted: a slot on its calendar, or with an empty `calendar` on whichever the server chooses. */
export interface SlotChoice {
  readonly appointmentType: string;
  readonly calendar: string;
  readonly start: Date;
  readonly durationSeconds: number;
}

/** What would do, should it become free. An empty list of calendars leaves that to the server. */
export interface Wish {
  readonly appointmentType: string;
  readonly calendars: readonly string[];
  /** When it must start. */
  readonly start: Date;
  readonly end: Date;
  readonly durationSeconds: number;
}

export interface Customer {
  readonly displayName: string;
  readonly email: string;
  readonly phone: string;
  readonly timeZone: string;
  readonly language: string;
}

export interface Details {
  readonly customer: Customer;
  /** Answers and whatever the page passes on, by name: `note`, `conversation`, … */
  readonly fields: Readonly<Record<string, string>>;
}

/** What a chat tells of the visitor. Its text is whatever somebody wrote. */
export interface PrefilledField {
  /** `display_name`, `email`, `phone`, `time_zone`, `language`, or the name of one of the booking's fields. */
  readonly name: string;
  readonly value: string;
  /** A model took it from the conversation, or guessed it: the visitor has to confirm it. */
  readonly isInferred: boolean;
}

/** What a ticket brings. */
export interface Handoff {
  readonly hold: Hold;
  readonly fields: readonly PrefilledField[];
}

export interface Booking {
  readonly name: string;
  readonly appointmentType: string;
  readonly calendars: readonly string[];
  readonly start: Date;
  readonly end: Date;
  readonly status: "pending" | "confirmed" | "other";
}
