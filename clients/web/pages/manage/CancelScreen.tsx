import { type FormEvent, useId, useState } from "react";
import { Field } from "../../src/widget/Field.js";
import { Summary } from "../../src/widget/Summary.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { BookingProps } from "./BookingScreens.js";
import type { Screen } from "./flow.js";
import { Header, SentNotice, StaleLine } from "./parts.js";
import { REASON_LENGTH_MAX, reasonOf } from "./reason.js";
import { useSay } from "./saying.js";

type CancelProps = BookingProps & { readonly screen: Extract<Screen, { at: "cancel" }> };

/** Whether it is really to be cancelled, and why; the reason may be left out. */
export function CancelScreen({ managing, view, screen }: CancelProps) {
  const { catalog, booking } = view;
  const { text } = useSpeaking();
  const say = useSay();
  const id = useId();
  const [typed, setTyped] = useState("");
  const reason = reasonOf(typed);
  const isTooLong = [...reason].length > REASON_LENGTH_MAX;
  const { sending } = screen;
  const labels = { no: say("cancelNow"), sending: say("cancelling"), unknown: text("sendAgain") };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isTooLong) managing.cancel(reason);
  };
  return (
    <form className="slotcast-details" noValidate onSubmit={submit}>
      <Header business={catalog.businessName}>{say("cancelQuestion")}</Header>
      <StaleLine isStale={view.isStale} />
      <Summary catalog={catalog} {...booking} />
      <Field
        id={`${id}-reason`}
        name="reason"
        label={say("reason")}
        type="text"
        autoComplete="off"
        value={typed}
        isOptional
        isReadOnly={sending !== "no"}
        message={isTooLong ? say("tooLong", { limit: REASON_LENGTH_MAX }) : undefined}
        onType={setTyped}
        onLeave={() => undefined}
      />
      <SentNotice {...screen} />
      <div className="manage-actions">
        <button
          type="submit"
          className="slotcast-button manage-bad"
          aria-disabled={isTooLong || sending === "sending"}
          aria-busy={sending === "sending"}
        >
          {labels[sending]}
        </button>
        <button
          type="button"
          className="slotcast-button slotcast-secondary"
          aria-disabled={sending !== "no"}
          onClick={() => managing.tell({ is: "back" })}
        >
          {say("keep")}
        </button>
      </div>
    </form>
  );
}
