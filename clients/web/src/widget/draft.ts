/** What a visitor has written so far. */
import type { FormField } from "../form/rules.js";

export interface Prefill {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly note?: string | undefined;
}

export type FormValues = Record<FormField, string>;

/** What was typed counts, where nothing was typed what the page has filled in. */
export function valuesOf(prefill: Prefill, typed: Partial<FormValues>): FormValues {
  return {
    displayName: typed.displayName ?? prefill.name ?? "",
    email: typed.email ?? prefill.email ?? "",
    phone: typed.phone ?? prefill.phone ?? "",
    note: typed.note ?? prefill.note ?? "",
  };
}
