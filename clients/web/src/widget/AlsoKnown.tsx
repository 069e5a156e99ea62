import type { PrefilledField } from "../api/model.js";
import { useSpeaking } from "../words/provider.js";
import { Suggestion } from "./Suggestion.js";

/** What a field is called that the form has not by itself: its name, as words. */
export function labelOf(name: string): string {
  return name.replace(/[_.-]+/g, " ").trim() || name;
}

export interface AlsoKnownProps {
  readonly id: string;
  readonly known: readonly PrefilledField[];
  readonly language: PrefilledField | null;
}

/** What was said in the chat and is sent along, to be read only. */
export function AlsoKnown({ id, known, language }: AlsoKnownProps) {
  const { text } = useSpeaking();
  const languageName = useLanguageName();
  const isSaid = language !== null && !language.isInferred;
  if (known.length === 0 && !isSaid) return null;
  return (
    <section className="slotcast-known" aria-labelledby={id}>
      <p id={id} className="slotcast-known-title">
        {text("alsoKnown")}
      </p>
      <dl>
        {known.map(({ name, value }) => (
          <Row key={name} term={labelOf(name)} value={value} />
        ))}
        {isSaid && <Row term={text("language")} value={languageName(language.value)} />}
      </dl>
    </section>
  );
}

function Row({ term, value }: { term: string; value: string }) {
  return (
    <div>
      <dt>
        <bdi>{term}</bdi>
      </dt>
      <dd>
        <bdi>{value}</bdi>
      </dd>
    </div>
  );
}

export interface GuessProps {
  readonly id: string;
  readonly field: PrefilledField;
  readonly isConfirmed: boolean;
  readonly isReadOnly: boolean;
  readonly onConfirm: (isConfirmed: boolean) => void;
}

/** A guess that the form can do without, for it has one of its own: it is only used if it is confirmed. */
export function Guess({ id, field: { name, value }, ...rest }: GuessProps) {
  const { text } = useSpeaking();
  const languageName = useLanguageName();
  const isLanguage = name === "language";
  const label = text(isLanguage ? "language" : "timeZone");
  const shown = isLanguage ? languageName(value) : value.replaceAll("_", " ");
  return (
    <div className="slotcast-field">
      <p className="slotcast-label">
        {label}: <bdi>{shown}</bdi>
      </p>
      <Suggestion
        {...rest}
        id={id}
        name={`confirm-${name}`}
        label={`${label}, ${shown}`}
        isOptional
        isMissed={false}
      />
    </div>
  );
}

function useLanguageName(): (tag: string) => string {
  const { locale } = useSpeaking();
  return (tag) => {
    try {
      return new Intl.DisplayNames([locale], { type: "language" }).of(tag) ?? tag;
    } catch {
      return tag;
    }
  };
}
