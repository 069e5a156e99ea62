/** A page that takes the component from the package; it shows its own source. */

import { type Booking, SlotcastBooking } from "@slotcast/widget";
import "@slotcast/widget/style.css";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { type Demo, NOT_SERVED, readDemo } from "../demo.js";
import SOURCE from "./main.tsx?raw";

const root = document.getElementById("root");
if (root)
  readDemo().then(
    (demo) => createRoot(root).render(<Page {...demo} />),
    () => {
      root.textContent = NOT_SERVED;
    },
  );

function Page({ url, business, apiKey }: Demo) {
  const [booking, setBooking] = useState<Booking | null>(null);
  return (
    <div className="beside">
      <section aria-labelledby="booking-head">
        <h2 id="booking-head">The booking</h2>
        <SlotcastBooking
          url={url}
          business={business}
          apiKey={apiKey}
          headingLevel={3}
          onBooked={setBooking}
        />
        <p role="status">{booking && `The page was told of ${booking.name}.`}</p>
      </section>
      <section aria-labelledby="source-head">
        <h2 id="source-head">The source of this page</h2>
        <pre>
          <code>{SOURCE}</code>
        </pre>
      </section>
    </div>
  );
}
