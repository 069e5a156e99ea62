/** The rules of the details form: the server's own, from the same protos. */
import { type FormRule, formRules } from "../gen/formRules.js";

export type FormField = "displayName" | "email" | "phone" | "note";

/** The first rule that a field breaks; `limit` is its length in code points, or 0. */
export interface Broken {
  readonly field: FormField;
  readonly rule: "required" | "too_long" | "malformed";
  readonly limit: number;
}

// Not protovalidate itself: it weighs 105 kB compressed. A test holds the two equal.
const RULES: Readonly<Record<FormField, FormRule>> = formRules;
const FIELDS = Object.keys(RULES) as FormField[];

// What the HTML standard calls a valid e-mail address, and protovalidate too.
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const EMAIL = new RegExp(`^[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]+@${LABEL}(?:\\.${LABEL})*$`);

/** What is sent: name, e-mail and phone without the blanks around them, the note as it was written. */
export function trimmed(values: Readonly<Record<FormField, string>>): Record<FormField, string> {
  return {
    displayName: values.displayName.trim(),
    email: values.email.trim(),
    phone: values.phone.trim(),
    note: values.note,
  };
}

/** The rules that `trimmed(values)` breaks, at most one for each field, in the order of the form. */
export function brokenRules(values: Readonly<Record<FormField, string>>): Broken[] {
  const sent = trimmed(values);
  return FIELDS.flatMap((field) => brokenRule(field, sent[field]) ?? []);
}

/** The first rule that a text breaks, as it would be sent. */
export function brokenRule(field: FormField, text: string): Broken | null {
  const { optional, minLength = 0, maxLength = Infinity, pattern, email } = RULES[field];
  if (optional && text === "") return null;
  const length = [...text].length;
  if (length < minLength) return { field, rule: "required", limit: minLength };
  if (length > maxLength) return { field, rule: "too_long", limit: maxLength };
  const isWellFormed =
    (pattern === undefined || new RegExp(pattern, "u").test(text)) && (!email || EMAIL.test(text));
  return isWellFormed ? null : { field, rule: "malformed", limit: 0 };
}
