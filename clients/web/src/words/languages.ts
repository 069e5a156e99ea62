import { en } from "./en.js";
import type { Words } from "./words.js";

/** Those besides English come when they are asked for. */
const LOADERS = {
  en: () => Promise.resolve(en as Words),
  de: () => import("./de.js").then((module) => module.de),
  es: () => import("./es.js").then((module) => module.es),
  fr: () => import("./fr.js").then((module) => module.fr),
  ar: () => import("./ar.js").then((module) => module.ar),
  ja: () => import("./ja.js").then((module) => module.ja),
} satisfies Record<string, () => Promise<Words>>;

export type Language = keyof typeof LOADERS;
export const LANGUAGES = Object.keys(LOADERS) as readonly Language[];

/** A language that we speak, and the locale its dates and numbers are written in. */
export interface Speech {
  readonly language: Language;
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
}

/** The first of the wishes that we speak, else English. */
export function speechOf(
  wishes: readonly (string | null | undefined)[],
  visitor: readonly string[] = [],
): Speech {
  const wish = wishes.find((tag) => baseOf(tag) !== undefined);
  const language = baseOf(wish) ?? "en";
  const tag = wish?.includes("-") ? wish : visitor.find((own) => baseOf(own) === language);
  const locale = new Intl.Locale(tag ?? wish ?? "en", { calendar: "gregory" }).toString();
  return { language, locale, direction: language === "ar" ? "rtl" : "ltr" };
}

function baseOf(tag: string | null | undefined): Language | undefined {
  if (!tag) return undefined;
  try {
    const base = new Intl.Locale(tag).language;
    return LANGUAGES.find((language) => language === base);
  } catch {
    return undefined;
  }
}

/** The `lang` of the closest element around this one, also out of shadow roots. */
export function pageLanguage(element: Element): string | null {
  const around = element.parentElement?.closest("[lang]");
  if (around) return around.getAttribute("lang");
  const root = element.getRootNode();
  if (!(root instanceof ShadowRoot)) return null;
  return root.host.getAttribute("lang") ?? pageLanguage(root.host);
}

/** A language that cannot be loaded is English: better than no widget. */
export async function loadWords(language: Language): Promise<Words> {
  try {
    return await LOADERS[language]();
  } catch (error) {
    console.warn(`slotcast: the texts in "${language}" could not be loaded.`, error);
    return en;
  }
}
