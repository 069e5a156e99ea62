// Written by `make proto` from the rules in protos/slotcast/v1. Not to be edited.

/** The rules of one field. Lengths are in code points; what is `optional` may be empty. */
export interface FormRule {
  readonly optional?: true;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly email?: true;
}

export const formRules = {
  displayName: { minLength: 1, maxLength: 200, pattern: "^[^\\p{Cc}\\p{Zl}\\p{Zp}]*$" },
  email: { optional: true, maxLength: 254, email: true },
  phone: { optional: true, pattern: "^[+]?[0-9 ()./-]{3,40}$" },
  note: { maxLength: 2000, pattern: "^[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\p{Zl}\\p{Zp}]*$" },
} satisfies Record<string, FormRule>;
