import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { Catalog } from "../api/model.js";
import type { Session } from "../booking/session.js";
import type { GivingDetails } from "../booking/state.js";
import { type FormField, trimmed } from "../form/rules.js";
import { useSpeaking } from "../words/provider.js";
import { Countdown } from "./Countdown.js";
import { type FormValues, type Prefill, valuesOf } from "./draft.js";
import { Field } from "./Field.js";
import { BackButton, Notice, ProblemNotice } from "./parts.js";
import { Summary } from "./Summary.js";
import { ScreenHeading } from "./screen.js";
import { useMessages } from "./useMessages.js";

export interface DetailsProps {
  readonly catalog: Catalog;
  readonly session: Session;
  readonly state: GivingDetails;
  readonly prefill: Prefill | undefined;
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly typed: Partial<FormValues>;
  readonly onTyped: (typed: Partial<FormValues>) => void;
}

const FIELDS = [
  { field: "displayName", label: "name", type: "text", autoComplete: "name", isOptional: false },
  { field: "email", label: "email", type: "email", autoComplete: "email", isOptional: true },
  { field: "phone", label: "phone", type: "tel", autoComplete: "tel", isOptional: true },
  { field: "note", label: "note", type: "lines", autoComplete: "off", isOptional: true },
] as const;

/** Who comes, while the time is held for them. */
export function DetailsScreen(props: DetailsProps) {
  const { session, state } = props;
  const { text } = useSpeaking();
  return (
    <div className="slotcast-details">
      <header className="slotcast-header">
        <BackButton onBack={() => session.back()} isDisabled={state.sending !== "no"} />
        <ScreenHeading>{text("yourDetails")}</ScreenHeading>
      </header>
      <div className="slotcast-columns">
        <HeldTime {...props} />
        <DetailsForm {...props} />
      </div>
    </div>
  );
}

function HeldTime(props: DetailsProps) {
  const { catalog, state } = props;
  const { text } = useSpeaking();
  const { slot } = state.hold;
  const section = useRef<HTMLElement>(null);
  const [before, setBefore] = useState(state.holding);
  useEffect(() => {
    if (before === state.holding) return;
    setBefore(state.holding);
    // The button that was pressed is gone by now.
    if (before === "renewing" && state.holding === "held") section.current?.focus();
  }, [before, state.holding]);
  return (
    <section ref={section} className="slotcast-held" tabIndex={-1} aria-label={text("appointment")}>
      <Summary
        catalog={catalog}
        appointmentType={slot.appointmentType}
        calendars={[slot.calendar]}
        start={slot.start}
        end={slot.end}
      />
      <Holding {...props} />
    </section>
  );
}

function Holding({ catalog, session, state }: DetailsProps) {
  const { text } = useSpeaking();
  const type = catalog.types.find(({ name }) => name === state.hold.slot.appointmentType);
  if (state.holding === "held" || state.holding === "last")
    return <Countdown session={session} holdSeconds={type?.holdSeconds ?? 0} />;
  const isRenewing = state.holding === "renewing";
  return (
    <Notice tone="bad">
      <p>
        {text("expired")} {text("expiredHint")}
      </p>
      <button
        type="button"
        className="slotcast-button slotcast-secondary"
        aria-disabled={isRenewing}
        onClick={() => session.holdAgain()}
      >
        {text(isRenewing ? "renewing" : "holdAgain")}
      </button>
    </Notice>
  );
}

function DetailsForm(props: DetailsProps) {
  const { catalog, session, state, prefill = {}, typed } = props;
  const { text } = useSpeaking();
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const values = valuesOf(prefill, typed);
  const { messages, edited, left, submitted } = useMessages(values, state.problem);
  const isSent = state.sending !== "no";
  const type = (field: FormField) => (value: string) => {
    props.onTyped({ ...typed, [field]: value });
    edited(field);
    session.typed();
  };
  const submit = useSubmit(props, values, () => {
    const [wrong] = submitted();
    if (wrong) form.current?.querySelector<HTMLElement>(`[name="${wrong}"]`)?.focus();
    return wrong === undefined;
  });
  return (
    <form ref={form} className="slotcast-form" noValidate onSubmit={submit}>
      {FIELDS.map(({ field, label, ...rest }) => (
        <Field
          key={field}
          {...rest}
          id={`${id}-${field}`}
          name={field}
          label={text(label)}
          value={values[field]}
          isReadOnly={isSent}
          message={messages[field]}
          onType={type(field)}
          onLeave={() => left(field)}
        />
      ))}
      <SendingNotice state={state} hasMessages={Object.keys(messages).length > 0} />
      <SubmitButton state={state} isRequest={isOnRequest(catalog, state)} />
    </form>
  );
}

function isOnRequest(catalog: Catalog, { hold }: GivingDetails): boolean {
  return catalog.types.some(
    ({ name, requiresApproval }) => name === hold.slot.appointmentType && requiresApproval,
  );
}

function useSubmit(props: DetailsProps, values: FormValues, isRight: () => boolean) {
  const { session, state, fields } = props;
  const { formats, locale } = useSpeaking();
  return (event: FormEvent) => {
    event.preventDefault();
    if (!canSend(state) || !isRight()) return;
    const { note, ...customer } = trimmed(values);
    session.submit({
      customer: { ...customer, timeZone: formats.timeZone, language: locale.replace(/-u-.*/, "") },
      fields: { ...fields, ...(note && { note }) },
    });
  };
}

function canSend(state: GivingDetails): boolean {
  return (
    state.sending !== "sending" &&
    (state.holding === "held" || state.holding === "last" || state.sending === "unknown")
  );
}

function SendingNotice({ state, hasMessages }: { state: GivingDetails; hasMessages: boolean }) {
  const { text } = useSpeaking();
  if (state.sending === "unknown") return <Notice tone="bad">{text("unknown")}</Notice>;
  // What the service found wrong is told at the fields.
  const isTold = hasMessages && state.problem !== null && state.problem.fields.length > 0;
  return state.problem && !isTold ? <ProblemNotice problem={state.problem} /> : null;
}

function SubmitButton({ state, isRequest }: { state: GivingDetails; isRequest: boolean }) {
  const { text } = useSpeaking();
  const label = {
    no: isRequest ? "request" : "confirm",
    sending: "sending",
    unknown: "sendAgain",
  } as const;
  return (
    <button
      type="submit"
      className="slotcast-button slotcast-primary"
      aria-disabled={!canSend(state)}
      aria-busy={state.sending === "sending"}
      // Else the field is left first, and what is then said of it moves the button away from the pointer.
      onMouseDown={(event) => event.preventDefault()}
    >
      {text(label[state.sending])}
    </button>
  );
}
