import type { Transport } from "@connectrpc/connect";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { createSlotcast } from "../api/client.js";
import { visitorOf } from "../api/visitor.js";
import { createSession } from "../booking/session.js";
import { SlotcastProvider } from "../live/provider.js";
import type { HourCycle } from "../words/format.js";
import { pageLanguage, speechOf } from "../words/languages.js";
import { SpeakingProvider, useSpeaking } from "../words/provider.js";
import type { OwnWords } from "../words/words.js";
import { Announcer } from "./announcer.js";
import { BookingFlow } from "./BookingFlow.js";
import type { Prefill } from "./draft.js";
import { ErrorBoundary } from "./ErrorBoundary.js";
import { Bars } from "./parts.js";
import type { SessionListener } from "./useSession.js";

export interface SlotcastBookingProps extends SessionListener {
  /** Where the gateway is; empty: where the page is from. */
  readonly url: string;
  readonly apiKey: string;
  /** Its id, such as `demo`, or its name. */
  readonly business: string;
  /** Whose holds are one's own. Absent: each widget is somebody else. */
  readonly holder?: string | undefined;
  /** Chosen already, by id or by name. */
  readonly appointmentType?: string | undefined;
  readonly calendar?: string | undefined;
  readonly durationMinutes?: number | undefined;
  /** A BCP 47 tag. Absent: the page's, then the visitor's: as a ticket tells it, else the browser. */
  readonly language?: string | undefined;
  /** Told the visitor's language as a ticket has it, once it is certain; empty: it is not any more. */
  readonly onLanguage?: ((tag: string) => void) | undefined;
  /** Absent: as the visitor's system has it. */
  readonly theme?: "light" | "dark" | "auto" | undefined;
  /** An IANA name. Absent: the visitor's. */
  readonly timeZone?: string | undefined;
  /** Absent: as the language has it. */
  readonly hourCycle?: HourCycle | undefined;
  readonly prefill?: Prefill | undefined;
  /** Passed on with the booking, such as the id of the conversation. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** From a chat: takes over what was held there. */
  readonly ticket?: string | undefined;
  /** True: where nothing is free one may wait, and is written to. The service must send letters. */
  readonly waitlist?: boolean | undefined;
  /** Single texts of one's own. */
  readonly words?: OwnWords | undefined;
  /** 1 to 6. Absent: 2. */
  readonly headingLevel?: number | undefined;
  /** Absent: grpc-web to `url`. */
  readonly transport?: Transport | undefined;
}

const REQUIRED = ["url", "apiKey", "business"] as const;

/** The whole booking, from the choice of an appointment to having it. */
export function SlotcastBooking(props: SlotcastBookingProps) {
  const { theme = "auto" } = props;
  const root = useRef<HTMLDivElement>(null);
  const { onLanguage } = props;
  const [told, setTold] = useState("");
  const hear = useCallback(
    (tag: string) => {
      setTold(tag);
      onLanguage?.(tag);
    },
    [onLanguage],
  );
  const speech = useSpeech([props.language, told], root);
  const missing = REQUIRED.filter(
    (name) => props[name] == null || (name !== "url" && props[name] === ""),
  );
  return (
    <div
      ref={root}
      className="slotcast"
      data-theme={theme}
      lang={speech.locale.replace(/-u-.*/, "")}
      dir={speech.direction}
    >
      {missing.length > 0 ? (
        <Missing names={missing} />
      ) : (
        <SpeakingProvider
          speech={speech}
          words={props.words}
          timeZone={props.timeZone}
          hourCycle={props.hourCycle}
          onLanguage={hear}
          fallback={<Wordless />}
        >
          <Connected {...props} />
        </SpeakingProvider>
      )}
    </div>
  );
}

/** Before there are texts. */
export function Wordless() {
  return (
    <div className="slotcast-card slotcast-skeleton" aria-busy="true">
      <Bars count={3} />
    </div>
  );
}

function Connected(props: SlotcastBookingProps) {
  const { url, apiKey, business, ticket, transport } = props;
  const { text } = useSpeaking();
  const holder = useMemo(
    () => props.holder || (ticket ? visitorOf(ticket) : undefined),
    [props.holder, ticket],
  );
  const slotcast = useMemo(
    () => createSlotcast({ url, apiKey, business, holder, transport }),
    [url, apiKey, business, holder, transport],
  );
  const session = useMemo(() => createSession(slotcast), [slotcast]);
  return (
    <SlotcastProvider slotcast={slotcast}>
      <Announcer>
        <div className="slotcast-card">
          <ErrorBoundary text={text}>
            <BookingFlow {...props} session={session} />
          </ErrorBoundary>
        </div>
      </Announcer>
    </SlotcastProvider>
  );
}

function useSpeech(
  [language, told]: readonly [string | undefined, string],
  root: { readonly current: Element | null },
) {
  const [ofPage, setOfPage] = useState(() => globalThis.document?.documentElement.lang);
  useEffect(() => {
    if (root.current) setOfPage(pageLanguage(root.current) ?? "");
  }, [root]);
  return useMemo(() => {
    const visitor = globalThis.navigator?.languages ?? [];
    return speechOf([language, ofPage, told, ...visitor], visitor);
  }, [language, ofPage, told]);
}

const ATTRIBUTES = { url: "url", apiKey: "api-key", business: "business" };

/** For whoever builds the page. */
function Missing({ names }: { names: readonly (typeof REQUIRED)[number][] }) {
  const list = names.map((name) => `${name} (attribute ${ATTRIBUTES[name]})`).join(", ");
  const sentence = `slotcast: the booking widget needs ${list}.`;
  useEffect(() => console.error(sentence), [sentence]);
  return (
    <div className="slotcast-card">
      <p role="alert">{sentence}</p>
      <pre className="slotcast-code">
        {
          '<slotcast-booking url="https://book.example" api-key="…" business="demo"></slotcast-booking>'
        }
      </pre>
    </div>
  );
}
