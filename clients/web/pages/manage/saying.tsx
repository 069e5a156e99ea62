import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { useSpeaking } from "../../src/words/provider.js";
import { filler, type Values } from "../../src/words/words.js";
import { loadManageWords, type ManageKey, type ManageWords } from "./words.js";

/** A sentence of this page, in the visitor's language. */
export type Say = (key: ManageKey, values?: Values) => string;

const SayContext = createContext<Say | null>(null);

export function useSay(): Say {
  const say = useContext(SayContext);
  if (!say) throw new Error("The page's texts are only known inside <Saying>.");
  return say;
}

export function Saying({ fallback, children }: { fallback: ReactNode; children: ReactNode }) {
  const { language, locale, direction, isChanging } = useSpeaking();
  const [loaded, setLoaded] = useState<{ language: string; words: ManageWords } | null>(null);
  useEffect(() => {
    let wanted = true;
    loadManageWords(language).then((words) => wanted && setLoaded({ language, words }));
    return () => {
      wanted = false;
    };
  }, [language]);
  const words = loaded?.language === language ? loaded.words : null;
  const say = useMemo<Say | null>(() => {
    const filled = filler(locale, direction === "rtl");
    return words && ((key, values = {}) => filled(words[key], values));
  }, [words, locale, direction]);
  return say && !isChanging ? (
    <SayContext.Provider value={say}>{children}</SayContext.Provider>
  ) : (
    fallback
  );
}
