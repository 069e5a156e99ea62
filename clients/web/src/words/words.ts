import type { en } from "./en.js";

/** A sentence for each form that a number takes in a language (Intl.PluralRules). */
export type Plural = { readonly other: string } & {
  readonly [form in Exclude<Intl.LDMLPluralRule, "other">]?: string;
};

export type WordKey = keyof typeof en;
export type PluralKey = { [K in WordKey]: (typeof en)[K] extends string ? never : K }[WordKey];
export type PlainKey = Exclude<WordKey, PluralKey>;

/** All texts of one language. */
export type Words = { readonly [K in PlainKey]: string } & { readonly [K in PluralKey]: Plural };

/** Single texts of one's own. A plain sentence does for a plural one. */
export type OwnWords = { readonly [K in PlainKey]?: string } & {
  readonly [K in PluralKey]?: Plural | string;
};

export type Values = Readonly<Record<string, string | number>>;

export interface Text {
  (key: PlainKey, values?: Values): string;
  (key: PluralKey, values: Values & { readonly count: number }): string;
}

const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

/** What fills in texts. */
export function texts(words: Words, own: OwnWords, locale: string, rightToLeft: boolean): Text {
  const filled = filler(locale, rightToLeft);
  return (key: WordKey, values: Values = {}) => filled(own[key] ?? words[key], values);
}

/** Fills values in. Where text runs right to left, what is filled in keeps its own direction. */
export function filler(
  locale: string,
  rightToLeft: boolean,
): (word: string | Plural, values: Values) => string {
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const shown = (value: string | number) => {
    const written = typeof value === "number" ? numbers.format(value) : value;
    return rightToLeft ? FIRST_STRONG_ISOLATE + written + POP_ISOLATE : written;
  };
  return (word, values) => {
    const sentence =
      typeof word === "string" ? word : inForm(word, Number(values["count"]), plurals);
    return sentence.replace(/\{(\w+)\}/g, (gap, name: string) => {
      const value = values[name];
      return value === undefined ? gap : shown(value);
    });
  };
}

function inForm(plural: Plural, count: number, rules: Intl.PluralRules): string {
  return plural[rules.select(count)] ?? plural.other;
}
