/** What is told at a field. Pure. */
import type { Problem } from "../api/problem.js";
import { type Broken, brokenRules, type FormField } from "../form/rules.js";
import type { PlainKey, Text } from "../words/words.js";
import type { FormValues } from "./draft.js";

export type Messages = Partial<Record<FormField, string>>;

const MALFORMED: Readonly<Record<FormField, PlainKey>> = {
  displayName: "malformedName",
  email: "malformedEmail",
  phone: "malformedPhone",
  note: "malformedNote",
};

/** A field by the path that the service gives: `customer.display_name`, `fields["note"]`. */
const PATHS: readonly (readonly [RegExp, FormField])[] = [
  [/display_?name/i, "displayName"],
  [/email/i, "email"],
  [/phone/i, "phone"],
  [/note/i, "note"],
];

export function ownMessages(values: FormValues, text: Text): Messages {
  return Object.fromEntries(
    brokenRules(values).map((broken) => [broken.field, messageOf(broken, text)]),
  );
}

/** What is wrong with a text, in words. */
export function messageOf({ field, rule, limit }: Broken, text: Text): string {
  if (rule === "required") return text("required");
  if (rule === "too_long") return text("tooLong", { count: limit });
  return text(MALFORMED[field]);
}

/** The service judges last: what it finds wrong is told in the visitor's language. */
export function serviceMessages(problem: Problem | null, text: Text): Messages {
  const fields = (problem?.fields ?? []).flatMap(({ path }) => fieldOf(path) ?? []);
  return Object.fromEntries(fields.map((field) => [field, text(MALFORMED[field])]));
}

function fieldOf(path: string): FormField | undefined {
  return PATHS.find(([pattern]) => pattern.test(path))?.[1];
}
