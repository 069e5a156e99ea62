import { type FormEvent, useId, useMemo, useRef, useState } from "react";
import type { Catalog, PrefilledField } from "../api/model.js";
import type { GivingDetails } from "../booking/state.js";
import { brokenRule, type FormField, trimmed } from "../form/rules.js";
import { useSpeaking } from "../words/provider.js";
import { AlsoKnown, Guess, labelOf } from "./AlsoKnown.js";
import type { DetailsProps } from "./DetailsScreen.js";
import { type Draft, type FormValues, valuesOf } from "./draft.js";
import { Field } from "./Field.js";
import { messageOf } from "./formMessages.js";
import { Notice, ProblemNotice } from "./parts.js";
import {
  FORM_NAMES,
  fieldsToSend,
  languageToSend,
  type Prefilled,
  prefilledWith,
  unconfirmed,
} from "./prefilled.js";
import { Suggestion, suggestionId } from "./Suggestion.js";
import { type MessagesAtFields, useMessages } from "./useMessages.js";

const FIELDS = [
  { field: "displayName", label: "name", type: "text", autoComplete: "name", isOptional: false },
  { field: "email", label: "email", type: "email", autoComplete: "email", isOptional: true },
  { field: "phone", label: "phone", type: "tel", autoComplete: "tel", isOptional: true },
  { field: "note", label: "note", type: "lines", autoComplete: "off", isOptional: true },
] as const;
const NOTHING = {};
/** What is longer stands in several lines. */
const LINE_MAX = 60;

/** What each part of the form is given. */
interface FormPartProps extends DetailsProps {
  readonly id: string;
  readonly prefilled: Prefilled;
  readonly isSent: boolean;
  /** What has to be confirmed yet, by its name in the ticket; and whether that is said. */
  readonly open: ReadonlySet<string>;
  readonly isJudged: boolean;
  readonly onWritten: (change: Partial<Draft>) => void;
}

export function DetailsForm(props: DetailsProps) {
  const { session, state, prefill = NOTHING, fields = NOTHING, draft } = props;
  const form = useRef<HTMLFormElement>(null);
  const [isJudged, setJudged] = useState(false);
  const handoff = session.handoff();
  const prefilled = useMemo(
    () => prefilledWith(handoff?.fields ?? [], prefill, fields),
    [handoff, prefill, fields],
  );
  const values = valuesOf(prefilled.given, draft.typed);
  const judged = useMessages(values, state.problem);
  const open = unconfirmed(prefilled, draft);
  const submit = useSubmit(props, prefilled, values, () => {
    setJudged(true);
    const first = firstWrong(new Set(judged.submitted()), prefilled, draft, open);
    const input = form.current?.elements.namedItem(first);
    if (input instanceof HTMLElement) input.focus();
    return first === "";
  });
  const part: FormPartProps = {
    ...props,
    id: useId(),
    prefilled,
    open,
    isJudged,
    isSent: state.sending !== "no",
    onWritten: (change) => {
      props.onDraft({ ...draft, ...change });
      session.typed();
    },
  };
  return (
    <form ref={form} className="slotcast-form" noValidate onSubmit={submit}>
      <OwnFields {...part} values={values} judged={judged} />
      <GuessedFields {...part} />
      <AlsoKnown id={`${part.id}-known`} {...prefilled} />
      <SendingNotice state={state} hasMessages={Object.keys(judged.messages).length > 0} />
      <SubmitButton state={state} isRequest={isOnRequest(props.catalog, state)} />
    </form>
  );
}

interface OwnFieldsProps extends FormPartProps {
  readonly values: FormValues;
  readonly judged: MessagesAtFields;
}

function OwnFields(props: OwnFieldsProps) {
  const { id, prefilled, draft, values, judged, isSent, onWritten } = props;
  const { text } = useSpeaking();
  return FIELDS.map(({ field, label, ...rest }) => {
    const isSuggested = prefilled.suggested.has(field) && draft.typed[field] === undefined;
    return (
      <Field
        key={field}
        {...rest}
        {...(isSuggested && suggested(props, FORM_NAMES[field], text(label), `${id}-${field}`))}
        id={`${id}-${field}`}
        name={field}
        label={text(label)}
        value={values[field]}
        isReadOnly={isSent}
        message={judged.messages[field]}
        onType={(value) => {
          onWritten({ typed: { ...draft.typed, [field]: value } });
          judged.edited(field);
        }}
        onLeave={() => judged.left(field)}
      />
    );
  });
}

/** Suggestions for what the form has no field for by itself, and for what it can do without. */
function GuessedFields(props: FormPartProps) {
  const { id, prefilled, draft, isSent } = props;
  const { formats, setTimeZone, setLanguage } = useSpeaking();
  const zoneBefore = useRef(formats.timeZone);
  const { guessed, language, timeZone } = prefilled;
  const guess = (field: PrefilledField) => ({
    id: `${id}-${field.name}`,
    field,
    isConfirmed: draft.confirmed.has(field.name),
    isReadOnly: isSent,
  });
  return (
    <>
      {guessed.map((field, index) => (
        <GuessedField key={field.name} {...props} id={`${id}-${index}`} field={field} />
      ))}
      {timeZone && (
        <Guess
          {...guess(timeZone)}
          onConfirm={(isConfirmed) => {
            confirm(props, timeZone.name, isConfirmed);
            setTimeZone(isConfirmed ? timeZone.value : zoneBefore.current);
          }}
        />
      )}
      {language?.isInferred && (
        <Guess
          {...guess(language)}
          onConfirm={(isConfirmed) => {
            confirm(props, language.name, isConfirmed);
            setLanguage(isConfirmed ? language.value : "");
          }}
        />
      )}
    </>
  );
}

function GuessedField(props: FormPartProps & { field: PrefilledField }) {
  const { id, field, draft, isSent, onWritten } = props;
  const { text } = useSpeaking();
  const typed = draft.others.get(field.name);
  const value = typed ?? field.value;
  const label = labelOf(field.name);
  const broken = brokenRule("note", value);
  return (
    <Field
      {...(typed === undefined && suggested(props, field.name, label, id))}
      id={id}
      name={otherName(field.name)}
      label={label}
      type={field.value.length > LINE_MAX || field.value.includes("\n") ? "lines" : "text"}
      autoComplete="off"
      isOptional
      value={value}
      isReadOnly={isSent}
      message={broken ? messageOf(broken, text) : undefined}
      onType={(written) => onWritten({ others: new Map([...draft.others, [field.name, written]]) })}
      onLeave={() => undefined}
    />
  );
}

/** What makes a field one to be confirmed. */
function suggested(props: FormPartProps, name: string, label: string, id: string) {
  const isOpen = props.open.has(name);
  return {
    look: isOpen ? "slotcast-suggested" : "",
    describedBy: suggestionId(id),
    children: (
      <Suggestion
        id={id}
        name={confirmName(name)}
        label={label}
        isConfirmed={props.draft.confirmed.has(name)}
        isReadOnly={props.isSent}
        isMissed={isOpen && props.isJudged}
        onConfirm={(isConfirmed) => confirm(props, name, isConfirmed)}
      />
    ),
  };
}

function confirm({ draft, onWritten }: FormPartProps, name: string, isConfirmed: boolean): void {
  const confirmed = new Set(draft.confirmed);
  if (isConfirmed) confirmed.add(name);
  else confirmed.delete(name);
  onWritten({ confirmed });
}

const confirmName = (name: string) => `confirm-${name}`;
const otherName = (name: string) => `other-${name}`;

/** The first input that has to be seen to before the form can be sent; empty: none. */
function firstWrong(
  wrong: ReadonlySet<FormField>,
  prefilled: Prefilled,
  draft: Draft,
  open: ReadonlySet<string>,
): string {
  const own = FIELDS.map(({ field }) => ({
    isWrong: wrong.has(field),
    input: field as string,
    name: FORM_NAMES[field],
  }));
  const others = prefilled.guessed.map(({ name, value }) => ({
    isWrong: brokenRule("note", draft.others.get(name) ?? value) !== null,
    input: otherName(name),
    name,
  }));
  const first = [...own, ...others].find(({ isWrong, name }) => isWrong || open.has(name));
  if (!first) return "";
  return first.isWrong ? first.input : confirmName(first.name);
}

function isOnRequest(catalog: Catalog, { hold }: GivingDetails): boolean {
  return catalog.types.some(
    ({ name, requiresApproval }) => name === hold.slot.appointmentType && requiresApproval,
  );
}

function useSubmit(
  props: DetailsProps,
  prefilled: Prefilled,
  values: FormValues,
  isRight: () => boolean,
) {
  const { session, state, fields = NOTHING, draft } = props;
  const { formats, locale } = useSpeaking();
  return (event: FormEvent) => {
    event.preventDefault();
    if (!canSend(state) || !isRight()) return;
    const { note, ...customer } = trimmed(values);
    const language = languageToSend(prefilled, draft) || locale.replace(/-u-.*/, "");
    session.submit({
      customer: { ...customer, timeZone: formats.timeZone, language },
      fields: fieldsToSend(prefilled, draft, fields, note),
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
