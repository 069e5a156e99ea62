import type { Language } from "../../src/words/languages.js";
import { en } from "./words/en.js";

export type ManageKey = keyof typeof en;
export type ManageWords = { readonly [K in ManageKey]: string };

/** Those besides English come when they are asked for. */
const LOADERS: Readonly<Record<Language, () => Promise<ManageWords>>> = {
  en: () => Promise.resolve(en),
  de: () => import("./words/de.js").then((module) => module.de),
  es: () => import("./words/es.js").then((module) => module.es),
  fr: () => import("./words/fr.js").then((module) => module.fr),
  ar: () => import("./words/ar.js").then((module) => module.ar),
  ja: () => import("./words/ja.js").then((module) => module.ja),
};

/** A language that cannot be loaded is English: better than no page. */
export async function loadManageWords(language: Language): Promise<ManageWords> {
  try {
    return await LOADERS[language]();
  } catch (error) {
    console.warn(`slotcast: the texts in "${language}" could not be loaded.`, error);
    return en;
  }
}
