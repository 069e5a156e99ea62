/** What a chat tells of a visitor, as the form takes it. Pure. */
import type { PrefilledField } from "../api/model.js";
import type { FormField } from "../form/rules.js";
import { isTimeZone } from "../words/format.js";
import type { Draft, FormValues, Prefill } from "./draft.js";

/** The form's own fields, by their names in a ticket. */
export const FORM_NAMES: Readonly<Record<FormField, string>> = {
  displayName: "display_name",
  email: "email",
  phone: "phone",
  note: "note",
};
const FORM_FIELDS = Object.keys(FORM_NAMES) as FormField[];

/** As many fields as a booking takes; one of them is the note. */
const FIELDS_MAX = 30;
/** As the service takes a language. */
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;

export interface Prefilled {
  /** What stands in the form's own fields. */
  readonly given: Partial<FormValues>;
  /** Of these, those that have to be confirmed. */
  readonly suggested: ReadonlySet<FormField>;
  /** Fields that the form has not by itself: those that were said, and those that have to be confirmed. */
  readonly known: readonly PrefilledField[];
  readonly guessed: readonly PrefilledField[];
  /** In which the visitor is written to, if it is not the form's. */
  readonly language: PrefilledField | null;
  /** By whose clock the visitor lives, if that was only guessed: what was said is shown by already. */
  readonly timeZone: PrefilledField | null;
}

/**
 * What a ticket brought, beside what the page fills in and passes on. What was said counts before what the
 * page knows, and that before what was guessed.
 */
export function prefilledWith(
  fields: readonly PrefilledField[],
  prefill: Prefill,
  passedOn: Readonly<Record<string, string>>,
): Prefilled {
  const byName = new Map(fields.toReversed().map((field) => [field.name, field]));
  const own = FORM_FIELDS.map((field) => ownField(field, byName, prefill));
  const others = othersOf([...byName.values()].toReversed(), passedOn);
  return {
    given: Object.fromEntries(own.map(({ field, value }) => [field, value])),
    suggested: new Set(own.filter(({ isSuggested }) => isSuggested).map(({ field }) => field)),
    known: others.filter(({ isInferred }) => !isInferred),
    guessed: others.filter(({ isInferred }) => isInferred),
    language: validated(byName.get("language"), (value) => LANGUAGE.test(value)),
    timeZone: validated(byName.get("time_zone"), isTimeZone, true),
  };
}

function ownField(
  field: FormField,
  byName: ReadonlyMap<string, PrefilledField>,
  prefill: Prefill,
): { field: FormField; value: string; isSuggested: boolean } {
  const told = byName.get(FORM_NAMES[field]);
  const ofPage = prefill[field === "displayName" ? "name" : field];
  if (!told || (told.isInferred && ofPage))
    return { field, value: ofPage ?? "", isSuggested: false };
  // One line has no breaks in it, and would not show them.
  const value = field === "note" ? told.value : told.value.replace(/\s+/g, " ").trim();
  return { field, value, isSuggested: told.isInferred };
}

/** As many as can be sent: what is shown is what is sent. */
function othersOf(
  fields: readonly PrefilledField[],
  passedOn: Readonly<Record<string, string>>,
): readonly PrefilledField[] {
  const names = new Set([
    ...Object.values(FORM_NAMES),
    ...Object.keys(passedOn),
    "language",
    "time_zone",
    // JavaScript's own: no object has a field of that name.
    "__proto__",
  ]);
  const room = FIELDS_MAX - new Set([...Object.keys(passedOn), "note"]).size;
  return fields.filter(({ name }) => !names.has(name)).slice(0, Math.max(0, room));
}

function validated(
  field: PrefilledField | undefined,
  isValid: (value: string) => boolean,
  onlyInferred = false,
): PrefilledField | null {
  if (!field || !isValid(field.value)) return null;
  return onlyInferred && !field.isInferred ? null : field;
}

/** The names of what has to be confirmed or changed before it may be sent. */
export function unconfirmed(prefilled: Prefilled, draft: Draft): ReadonlySet<string> {
  const own = [...prefilled.suggested]
    .filter((field) => draft.typed[field] === undefined)
    .map((field) => FORM_NAMES[field]);
  const others = prefilled.guessed
    .map(({ name }) => name)
    .filter((name) => !draft.others.has(name));
  return new Set([...own, ...others].filter((name) => !draft.confirmed.has(name)));
}

/** What is sent beside who comes. What the visitor has emptied is not. */
export function fieldsToSend(
  { known, guessed }: Prefilled,
  { others }: Draft,
  passedOn: Readonly<Record<string, string>>,
  note: string,
): Record<string, string> {
  const told = [...known, ...guessed].map(({ name, value }) => [name, others.get(name) ?? value]);
  return {
    ...passedOn,
    ...Object.fromEntries(told.filter(([, value]) => value?.trim())),
    ...(note && { note }),
  };
}

/** In which language the visitor is written to; empty: in that of the form. */
export function languageToSend({ language }: Prefilled, { confirmed }: Draft): string {
  if (!language) return "";
  return !language.isInferred || confirmed.has(language.name) ? language.value : "";
}
