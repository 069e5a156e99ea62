/**
 * What TypeScript knows of `<slotcast-booking>`, once a page has imported "@slotcast/widget/element":
 * the element and its events in the DOM, and the tag in React's JSX, where `onslotcast-booked={…}` listens.
 *
 * ```tsx
 * import "@slotcast/widget/element";
 *
 * <slotcast-booking url="https://book.salon.example" api-key={key} business="salon" />
 * ```
 */
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { Booking } from "./api/model.js";
import type { SlotcastBookingElement } from "./element.js";

export type { SlotcastBookingElement };

/** What `slotcast-held` and `slotcast-released` tell; times are ISO 8601. */
export interface HoldDetail {
  readonly hold: string;
  readonly appointmentType: string;
  readonly calendar: string;
  readonly start: string;
  readonly end: string;
  readonly expire: string;
}

/** What `slotcast-booked` tells. */
export interface BookingDetail {
  readonly booking: string;
  readonly appointmentType: string;
  readonly calendars: readonly string[];
  readonly start: string;
  readonly end: string;
  readonly status: Booking["status"];
}

export interface SlotcastBookingEventMap {
  "slotcast-held": CustomEvent<HoldDetail>;
  "slotcast-released": CustomEvent<HoldDetail>;
  "slotcast-booked": CustomEvent<BookingDetail>;
}

type Attributes = {
  [name in (typeof SlotcastBookingElement.observedAttributes)[number]]?:
    | string
    | number
    | undefined;
};
type Properties = Partial<Pick<SlotcastBookingElement, "prefill" | "fields" | "words">>;
type Listeners = {
  [type in keyof SlotcastBookingEventMap as `on${type}`]?: (
    event: SlotcastBookingEventMap[type],
  ) => void;
};

/** What the tag takes in JSX: its attributes, its properties, and listeners. */
export type SlotcastBookingTag = Attributes &
  Properties &
  Listeners &
  DetailedHTMLProps<HTMLAttributes<SlotcastBookingElement>, SlotcastBookingElement>;

declare global {
  interface HTMLElementTagNameMap {
    "slotcast-booking": SlotcastBookingElement;
  }
  // They bubble: any element of the page may listen.
  interface HTMLElementEventMap extends SlotcastBookingEventMap {}
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "slotcast-booking": SlotcastBookingTag;
    }
  }
}
