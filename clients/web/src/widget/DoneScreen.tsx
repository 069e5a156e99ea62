import type { Booking, Catalog } from "../api/model.js";
import { useSpeaking } from "../words/provider.js";
import { Icon } from "./parts.js";
import { Summary } from "./Summary.js";
import { ScreenHeading } from "./screen.js";

export interface DoneProps {
  readonly catalog: Catalog;
  readonly booking: Booking;
  /** Absent: there is no way to another. */
  readonly onAnother: (() => void) | undefined;
}

export function DoneScreen({ catalog, booking, onAnother }: DoneProps) {
  const { text } = useSpeaking();
  const isPending = booking.status === "pending";
  return (
    <div className="slotcast-done">
      <div className="slotcast-medal">
        <Icon name={isPending ? "clock" : "check"} />
      </div>
      <header className="slotcast-header">
        <ScreenHeading>{text(isPending ? "pending" : "booked")}</ScreenHeading>
        {isPending && (
          <p className="slotcast-hint">{text("pendingHint", { business: catalog.businessName })}</p>
        )}
      </header>
      <Summary catalog={catalog} {...booking} />
      {onAnother && (
        <button type="button" className="slotcast-button slotcast-secondary" onClick={onAnother}>
          {text("bookAnother")}
        </button>
      )}
    </div>
  );
}
