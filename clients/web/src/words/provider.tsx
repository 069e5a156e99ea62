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
  /** Another language is to be spoken, and its texts are not there yet. */
  readonly isChanging: boolean;
  /** The visitor's own, from a ticket, as a BCP 47 tag; empty: not known any more. The page may have another. */
  setLanguage(tag: string): void;
  setTimeZone(timeZone: string): void;
  setHourCycle(hourCycle: HourCycle): void;
}

export interface SpeakingProps {
  readonly speech: Speech;
  readonly words?: OwnWords | undefined;
  readonly timeZone?: string | undefined;
  readonly hourCycle?: HourCycle | undefined;
  readonly onLanguage?: ((tag: string) => void) | undefined;
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
  const { words: own = NONE, onLanguage = ignore, fallback, children } = props;
  const { speech, words } = useSpoken(props.speech);
  const isChanging = speech !== props.speech;
  const [timeZone, setTimeZone] = useGiven(zoneOf(props.timeZone));
  const [hourCycle, setHourCycle] = useGiven(props.hourCycle ?? localHourCycle(speech.locale));
  const speaking = useMemo(
    () =>
      words && {
        ...speech,
        text: texts(words, own, speech.locale, speech.direction === "rtl"),
        formats: createFormats(speech.locale, timeZone, hourCycle),
        isChanging,
        setLanguage: onLanguage,
        setTimeZone,
        setHourCycle,
      },
    [words, own, speech, timeZone, hourCycle, isChanging, onLanguage, setTimeZone, setHourCycle],
  );
  if (!speaking) return fallback;
  return <SpeakingContext.Provider value={speaking}>{children}</SpeakingContext.Provider>;
}

const NONE: OwnWords = {};
const ignore = () => undefined;

function zoneOf(wish: string | undefined): string {
  return wish && isTimeZone(wish) ? wish : visitorTimeZone();
}

interface Spoken {
  readonly speech: Speech;
  /** Null: there are none yet. */
  readonly words: Words | null;
}

/** The newest speech whose texts are there: until then what was spoken stays, and with it what was begun. */
function useSpoken(speech: Speech): Spoken {
  const [loaded, setLoaded] = useState<Spoken | null>(() => inEnglish(speech));
  useEffect(() => {
    let wanted = true;
    loadWords(speech.language).then((words) => wanted && setLoaded({ speech, words }));
    return () => {
      wanted = false;
    };
  }, [speech]);
  return inEnglish(speech) ?? loaded ?? { speech, words: null };
}

function inEnglish(speech: Speech): Spoken | null {
  return speech.language === "en" ? { speech, words: en } : null;
}

/** What the visitor chose, until the page gives something else. */
function useGiven<T>(given: T): [T, (chosen: T) => void] {
  const [state, setState] = useState({ given, chosen: given });
  const choose = useCallback((chosen: T) => setState({ given, chosen }), [given]);
  if (state.given === given) return [state.chosen, choose];
  setState({ given, chosen: given });
  return [given, choose];
}
