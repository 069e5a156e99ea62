/** What a visitor has written so far. */
import type { FormField } from "../form/rules.js";

export interface Prefill {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly note?: string | undefined;
}

export type FormValues = Record<FormField, string>;

export interface Draft {
  readonly typed: Partial<FormValues>;
  /** In place of what a chat suggested for a field that the form has not by itself, by its name. */
  readonly others: ReadonlyMap<string, string>;
  /** What a chat suggested and the visitor confirmed, by its name there. */
  readonly confirmed: ReadonlySet<string>;
}

export const NOTHING_WRITTEN: Draft = { typed: {}, others: new Map(), confirmed: new Set() };

/** What was typed counts, where nothing was typed what was filled in. */
export function valuesOf(given: Partial<FormValues>, typed: Partial<FormValues>): FormValues {
  return {
    displayName: typed.displayName ?? given.displayName ?? "",
    email: typed.email ?? given.email ?? "",
    phone: typed.phone ?? given.phone ?? "",
    note: typed.note ?? given.note ?? "",
  };
}
