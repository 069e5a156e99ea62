import { type FormEvent, useId, useMemo, useRef, useState } from "react";
import { callFailed } from "../api/client.js";
import type { Customer } from "../api/model.js";
import type { Problem } from "../api/problem.js";
import { newId } from "../api/visitor.js";
import { useSlotcast } from "../live/provider.js";
import { useSpeaking } from "../words/provider.js";
import { useAnnounce } from "./announcer.js";
import { Field } from "./Field.js";
import { ownMessages } from "./formMessages.js";
import { Notice, ProblemNotice } from "./parts.js";
import { isLeftToService, type Selection } from "./selection.js";

export interface WaitProps {
  readonly selection: Selection;
  /** When what frees must start. */
  readonly start: Date;
  readonly end: Date;
}

/** Where nothing is free: to be written to when something is. */
export function WaitOffer(props: WaitProps) {
  const { text } = useSpeaking();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <div className="slotcast-wait">
      <button
        type="button"
        className="slotcast-link"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {text("tellMe")}
      </button>
      {isOpen && <WaitForm id={id} {...props} />}
    </div>
  );
}

const NOTHING = { displayName: "", email: "", phone: "", note: "" };
const FIELDS = [
  { field: "displayName", label: "name", type: "text", autoComplete: "name" },
  { field: "email", label: "email", type: "email", autoComplete: "email" },
] as const;

function WaitForm({ id, ...wish }: WaitProps & { id: string }) {
  const { text } = useSpeaking();
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState(NOTHING);
  const [isJudged, setJudged] = useState(false);
  const { state, problem, wait } = useWaiting(wish);
  const messages = {
    // Where letters go may be left out of a booking, but not here.
    ...(values.email.trim() === "" && { email: text("required") }),
    ...ownMessages(values, text),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setJudged(true);
    const wrong = FIELDS.find(({ field }) => messages[field] !== undefined);
    if (wrong) form.current?.querySelector<HTMLElement>(`[name="${wrong.field}"]`)?.focus();
    else wait(values.displayName.trim(), values.email.trim());
  };
  if (state === "waits")
    return (
      <Notice tone="plain">
        <p id={id}>{text("waitingFor", { email: values.email.trim() })}</p>
      </Notice>
    );
  return (
    <form ref={form} id={id} className="slotcast-form" noValidate onSubmit={submit}>
      <p className="slotcast-hint">{text("tellMeHint")}</p>
      {FIELDS.map(({ field, label, ...rest }) => (
        <Field
          key={field}
          {...rest}
          id={`${id}-${field}`}
          name={field}
          label={text(label)}
          value={values[field]}
          isOptional={false}
          isReadOnly={state === "sending"}
          message={isJudged ? messages[field] : undefined}
          onType={(value) => setValues({ ...values, [field]: value })}
          onLeave={() => undefined}
        />
      ))}
      {problem && <ProblemNotice problem={problem} />}
      <button
        type="submit"
        className="slotcast-button slotcast-secondary"
        aria-disabled={state === "sending"}
        aria-busy={state === "sending"}
      >
        {text(state === "sending" ? "tellMeSending" : "tellMeSend")}
      </button>
    </form>
  );
}

function useWaiting({ selection, start, end }: WaitProps) {
  const slotcast = useSlotcast();
  const { text, formats, locale } = useSpeaking();
  const announce = useAnnounce();
  const [state, setState] = useState<"asks" | "sending" | "waits">("asks");
  const [problem, setProblem] = useState<Problem | null>(null);
  // One request for one wish, however often it is sent: it waits once.
  const requestId = useMemo(newId, []);
  const wait = (displayName: string, email: string) => {
    if (state === "sending") return;
    const language = locale.replace(/-u-.*/, "");
    const { timeZone } = formats;
    const customer: Customer = { displayName, email, phone: "", timeZone, language };
    const wish = {
      appointmentType: selection.type.name,
      calendars: selection.calendar && !isLeftToService(selection) ? [selection.calendar] : [],
      start,
      end,
      durationSeconds: selection.durationSeconds,
    };
    setState("sending");
    setProblem(null);
    slotcast.wait(wish, customer, requestId).then(
      () => {
        setState("waits");
        announce(() => text("waitingFor", { email }));
      },
      (error) => {
        setState("asks");
        setProblem(callFailed(error).problem);
      },
    );
  };
  return { state, problem, wait };
}
