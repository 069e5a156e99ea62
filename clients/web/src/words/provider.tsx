import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from "react";
import { en } from "./en.js";
import {
  createFormats,
  type Formats,
  type HourCycle,
  isTimeZone,
  localHourCycle,
  visitorTimeZone,
} from "./format.js";
import { loadWords, type Speech } from "./languages.js";
import { type OwnWords, type Text, texts, type Words } from "./words.js";

/** How the widget speaks to this visitor: texts, dates, and what they may change about them. */
export interface Speaking extends Speech {
  readonly text: Text;
  readonly formats: Formats;
  setTimeZone(timeZone: string): void;
  setHourCycle(hourCycle: HourCycle): void;
}

export interface SpeakingProps {
  readonly speech: Speech;
  readonly words?: OwnWords | undefined;
  readonly timeZone?: string | undefined;
  readonly hourCycle?: HourCycle | undefined;
  /** Shown until the texts are there. */
  readonly fallback: ReactNode;
  readonly children: ReactNode;
}

const SpeakingContext = createContext<Speaking | null>(null);

export function useSpeaking(): Speaking {
  const speaking = useContext(SpeakingContext);
  if (!speaking) throw new Error("Texts are only known inside <SpeakingProvider>.");
  return speaking;
}

export function SpeakingProvider(props: SpeakingProps) {
  const { speech, words: own = NONE, fallback, children } = props;
  const words = useWords(speech);
  const [timeZone, setTimeZone] = useGiven(zoneOf(props.timeZone));
  const [hourCycle, setHourCycle] = useGiven(props.hourCycle ?? localHourCycle(speech.locale));
  const speaking = useMemo(
    () =>
      words && {
        ...speech,
        text: texts(words, own, speech.locale, speech.direction === "rtl"),
        formats: createFormats(speech.locale, timeZone, hourCycle),
        setTimeZone,
        setHourCycle,
      },
    [words, own, speech, timeZone, hourCycle, setTimeZone, setHourCycle],
  );
  if (!speaking) return fallback;
  return <SpeakingContext.Provider value={speaking}>{children}</SpeakingContext.Provider>;
}

const NONE: OwnWords = {};

function zoneOf(wish: string | undefined): string {
  return wish && isTimeZone(wish) ? wish : visitorTimeZone();
}

function useWords(speech: Speech): Words | null {
  const [loaded, setLoaded] = useState<{ language: string; words: Words } | null>(null);
  useEffect(() => {
    let wanted = true;
    loadWords(speech.language).then(
      (words) => wanted && setLoaded({ language: speech.language, words }),
    );
    return () => {
      wanted = false;
    };
  }, [speech.language]);
  if (speech.language === "en") return en;
  return loaded?.words ?? null;
}

/** What the visitor chose, until the page gives something else. */
function useGiven<T>(given: T): [T, (chosen: T) => void] {
  const [state, setState] = useState({ given, chosen: given });
  const choose = useCallback((chosen: T) => setState({ given, chosen }), [given]);
  if (state.given === given) return [state.chosen, choose];
  setState({ given, chosen: given });
  return [given, choose];
}
