/** What the npm package exports: the widget, the headless hook, and what they stand on. */
export { CallFailed, createSlotcast, type Slotcast, type SlotcastOptions } from "./api/client.js";
export type {
  AppointmentType,
  Booking,
  Calendar,
  Catalog,
  Customer,
  Details,
  Handoff,
  Hold,
  PrefilledField,
  Slot,
  SlotChoice,
  SlotQuery,
  Wish,
} from "./api/model.js";
export type { Problem } from "./api/problem.js";
export { createSession, type Session } from "./booking/session.js";
export type {
  BookingState,
  ChoosingTime,
  Done,
  GivingDetails,
  LostSlot,
  TakingOver,
} from "./booking/state.js";
export { SlotcastProvider, type SlotcastProviderProps, useSlotcast } from "./live/provider.js";
export { type OpenSlots, useOpenSlots } from "./live/useOpenSlots.js";
export type { Freshness, SlotsView } from "./live/watch.js";
export type { Prefill } from "./widget/draft.js";
export { SlotcastBooking, type SlotcastBookingProps } from "./widget/SlotcastBooking.js";
export type { HourCycle } from "./words/format.js";
export type { OwnWords, Plural } from "./words/words.js";
