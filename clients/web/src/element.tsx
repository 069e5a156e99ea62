/** <slotcast-booking>: the widget for any page, by one script tag. It only passes on; all else is the component's. */
import { enableShadowDOM } from "@react-stately/flags";
import { createRoot, type Root } from "react-dom/client";
import type { Booking, Hold } from "./api/model.js";
import type { BookingDetail, HoldDetail } from "./elementTypes.js";
import type { Prefill } from "./widget/draft.js";
import { SlotcastBooking, type SlotcastBookingProps } from "./widget/SlotcastBooking.js";
import css from "./widget/style.css?inline";
import type { HourCycle } from "./words/format.js";
import { pageLanguage } from "./words/languages.js";
import type { OwnWords } from "./words/words.js";

const ATTRIBUTES = [
  "url",
  "api-key",
  "business",
  "holder",
  "appointment-type",
  "calendar",
  "duration",
  "language",
  "theme",
  "time-zone",
  "hour-cycle",
  "heading-level",
  "name",
  "email",
  "phone",
  "note",
  "ticket",
  "waitlist",
] as const;

const HOUR_CYCLES: Readonly<Record<string, HourCycle>> = {
  "12": "h12",
  h12: "h12",
  "24": "h23",
  h23: "h23",
};

class SlotcastBookingElement extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES;

  #root: Root | null = null;
  #isWaiting = false;
  #prefill: Prefill = {};
  #fields: Readonly<Record<string, string>> | undefined;
  #words: OwnWords | undefined;

  /** Counts before the attributes `name`, `email`, `phone` and `note`. */
  get prefill(): Prefill {
    return this.#prefill;
  }

  set prefill(prefill: Prefill) {
    this.#prefill = prefill ?? {};
    this.#renderSoon();
  }

  /** Passed on with the booking. */
  get fields(): Readonly<Record<string, string>> | undefined {
    return this.#fields;
  }

  set fields(fields: Readonly<Record<string, string>> | undefined) {
    this.#fields = fields;
    this.#renderSoon();
  }

  /** Single texts of one's own. */
  get words(): OwnWords | undefined {
    return this.#words;
  }

  set words(words: OwnWords | undefined) {
    this.#words = words;
    this.#renderSoon();
  }

  connectedCallback(): void {
    if (this.#root) return;
    this.#keepEarlyProperties();
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open", delegatesFocus: false });
    const container = document.createElement("div");
    shadow.replaceChildren(container);
    dress(shadow);
    this.#root = createRoot(container);
    this.#render();
  }

  /** Who only moves it, as chats do with their messages, takes it out and puts it in again at once. */
  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#root?.unmount();
      this.#root = null;
    });
  }

  attributeChangedCallback(): void {
    this.#renderSoon();
  }

  /** What a page set before this script came lies on the element itself, and would hide the setters. */
  #keepEarlyProperties(): void {
    for (const name of ["prefill", "fields", "words"] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Partial<Record<typeof name, unknown>>)[name];
      Object.assign(this, { [name]: value });
    }
  }

  #renderSoon(): void {
    if (this.#isWaiting || !this.#root) return;
    this.#isWaiting = true;
    queueMicrotask(() => {
      this.#isWaiting = false;
      this.#render();
    });
  }

  #render(): void {
    this.#root?.render(<SlotcastBooking {...this.#props()} />);
  }

  #props(): SlotcastBookingProps {
    const attribute = (name: (typeof ATTRIBUTES)[number]) => this.getAttribute(name) ?? undefined;
    return {
      // What is missing, the component tells.
      url: attribute("url") as string,
      apiKey: attribute("api-key") as string,
      business: attribute("business") as string,
      holder: attribute("holder"),
      appointmentType: attribute("appointment-type"),
      calendar: attribute("calendar"),
      durationMinutes: Number(attribute("duration")) || undefined,
      language: attribute("language") ?? pageLanguage(this) ?? undefined,
      theme: themeOf(attribute("theme")),
      timeZone: attribute("time-zone"),
      hourCycle: HOUR_CYCLES[attribute("hour-cycle") ?? ""],
      headingLevel: Number(attribute("heading-level")) || undefined,
      ticket: attribute("ticket"),
      waitlist: this.hasAttribute("waitlist"),
      prefill: {
        name: attribute("name"),
        email: attribute("email"),
        phone: attribute("phone"),
        note: attribute("note"),
        ...this.#prefill,
      },
      fields: this.#fields,
      words: this.#words,
      onHeld: (hold) => this.#tell("slotcast-held", holdDetail(hold)),
      onReleased: (hold) => this.#tell("slotcast-released", holdDetail(hold)),
      onBooked: (booking) => this.#tell("slotcast-booked", bookingDetail(booking)),
    };
  }

  #tell(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

function themeOf(text: string | undefined): "light" | "dark" | "auto" {
  return text === "light" || text === "dark" ? text : "auto";
}

function holdDetail({ name, slot, expire }: Hold): HoldDetail {
  return {
    hold: name,
    appointmentType: slot.appointmentType,
    calendar: slot.calendar,
    start: slot.start.toISOString(),
    end: slot.end.toISOString(),
    expire: expire.toISOString(),
  };
}

function bookingDetail(booking: Booking): BookingDetail {
  const { name, appointmentType, calendars, start, end, status } = booking;
  return {
    booking: name,
    appointmentType,
    calendars: [...calendars],
    start: start.toISOString(),
    end: end.toISOString(),
    status,
  };
}

function dress(shadow: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = css;
    shadow.prepend(style);
  }
}

enableShadowDOM();

// A page may have the script twice.
if (!customElements.get("slotcast-booking"))
  customElements.define("slotcast-booking", SlotcastBookingElement);

export type { SlotcastBookingElement };
