import { useEffect, useMemo, useState } from "react";
import { DeadEnd } from "../../src/widget/parts.js";
import { SlotcastBooking, Wordless } from "../../src/widget/SlotcastBooking.js";
import { speechOf } from "../../src/words/languages.js";
import { SpeakingProvider, useSpeaking } from "../../src/words/provider.js";
import type { Link } from "./link.js";

export interface PageProps {
  /** Null: the address has no whole link. */
  readonly link: Link | null;
}

/** What a chat's link leads to: the widget, with the ticket as its key, in the language that the ticket tells. */
export function Page({ link }: PageProps) {
  const [told, setTold] = useState("");
  const speech = useMemo(
    () => speechOf([told, ...navigator.languages], navigator.languages),
    [told],
  );
  const language = speech.locale.replace(/-u-.*/, "");
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = speech.direction;
  }, [language, speech]);
  return (
    <SpeakingProvider speech={speech} fallback={<Wordless />}>
      <Title />
      {link ? (
        <SlotcastBooking
          url=""
          apiKey={link.ticket}
          ticket={link.ticket}
          business={link.business}
          language={language}
          onLanguage={setTold}
        />
      ) : (
        <NoLink language={language} direction={speech.direction} />
      )}
    </SpeakingProvider>
  );
}

/** Seen on the window, and heard in the page. */
function Title() {
  const { text } = useSpeaking();
  const title = text("book");
  useEffect(() => {
    document.title = title;
  }, [title]);
  return <h1 className="slotcast-unseen">{title}</h1>;
}

function NoLink({ language, direction }: { language: string; direction: "ltr" | "rtl" }) {
  const { text } = useSpeaking();
  return (
    <div className="slotcast" data-theme="auto" lang={language} dir={direction}>
      <div className="slotcast-card">
        <DeadEnd>{text("ticketInvalid")}</DeadEnd>
      </div>
    </div>
  );
}
