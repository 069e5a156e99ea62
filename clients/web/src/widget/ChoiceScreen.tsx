import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { AppointmentType, Catalog } from "../api/model.js";
import { useSpeaking } from "../words/provider.js";
import { Icon } from "./parts.js";
import { ScreenHeading } from "./screen.js";
import { firstSelection, type Offer, peopleOf, type Selection } from "./selection.js";

export interface ChoiceProps {
  readonly catalog: Catalog;
  readonly offer: Offer;
  /** What was chosen before, on coming back. */
  readonly last: Selection | null;
  readonly onChoose: (selection: Selection) => void;
}

/** The first screen: which appointment, how long, with whom. */
export function ChoiceScreen({ catalog, offer, last, onChoose }: ChoiceProps) {
  const { text } = useSpeaking();
  const [first] = offer.types;
  const [selection, setSelection] = useState(() => last ?? (first && firstSelection(first, offer)));
  const known = offer.types.find(({ name }) => name === selection?.type.name);
  if (!selection || !known) return <p className="slotcast-empty">{text("nothingToBook")}</p>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChoose(selection);
  };
  return (
    <form className="slotcast-choice" onSubmit={submit}>
      <header className="slotcast-header">
        <p className="slotcast-business">{catalog.businessName}</p>
        <ScreenHeading>{text("book")}</ScreenHeading>
      </header>
      <div className="slotcast-questions">
        {offer.types.length > 1 && <Types {...{ offer, selection }} onSelect={setSelection} />}
        <Durations selection={selection} onSelect={setSelection} />
        <People {...{ catalog, offer, selection }} onSelect={setSelection} />
        <button type="submit" className="slotcast-button slotcast-primary">
          {text("continue")}
          <Icon name="forth" />
        </button>
      </div>
    </form>
  );
}

interface QuestionProps {
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
}

function Types({ offer, selection, onSelect }: QuestionProps & { offer: Offer }) {
  const { text } = useSpeaking();
  return (
    <Question legend={text("appointment")} look="cards">
      {(group) =>
        offer.types.map((type) => (
          <Option
            key={type.name}
            group={group}
            isChosen={type.name === selection.type.name}
            onChoose={() => onSelect(keepPerson(firstSelection(type, offer), selection))}
          >
            <span className="slotcast-option-name">{type.displayName}</span>
            <span className="slotcast-option-hint">
              <DurationsOf type={type} />
            </span>
          </Option>
        ))
      }
    </Question>
  );
}

/** Who wants to come to one person wants that for another appointment too, where that is possible. */
function keepPerson(next: Selection, before: Selection): Selection {
  return next.type.anyOf.includes(before.calendar) ? { ...next, calendar: before.calendar } : next;
}

function DurationsOf({ type }: { type: AppointmentType }) {
  const { formats, locale } = useSpeaking();
  const durations = type.durationsSeconds.map((seconds) => formats.duration(seconds));
  return new Intl.ListFormat(locale, { type: "disjunction" }).format(durations);
}

function Durations({ selection, onSelect }: QuestionProps) {
  const { text, formats } = useSpeaking();
  const { durationsSeconds } = selection.type;
  if (durationsSeconds.length < 2) return null;
  return (
    <Question legend={text("duration")} look="chips">
      {(group) =>
        durationsSeconds.map((seconds) => (
          <Option
            key={seconds}
            group={group}
            isChosen={seconds === selection.durationSeconds}
            onChoose={() => onSelect({ ...selection, durationSeconds: seconds })}
          >
            {formats.duration(seconds)}
          </Option>
        ))
      }
    </Question>
  );
}

/** With whom; nothing where that is no question. */
export function People({
  catalog,
  offer,
  selection,
  onSelect,
}: QuestionProps & Pick<ChoiceProps, "catalog" | "offer">) {
  const { text } = useSpeaking();
  const people = peopleOf(selection.type, offer, catalog);
  if (people.length === 0) return null;
  const choices = [{ name: "", displayName: text("anyone") }, ...people];
  return (
    <Question legend={text("person")} look="chips">
      {(group) =>
        choices.map(({ name, displayName }) => (
          <Option
            key={name}
            group={group}
            isChosen={name === selection.calendar}
            onChoose={() => onSelect({ ...selection, calendar: name })}
          >
            {displayName}
          </Option>
        ))
      }
    </Question>
  );
}

interface LegendProps {
  readonly legend: string;
  readonly look: "cards" | "chips";
  readonly children: (group: string) => ReactNode;
}

function Question({ legend, look, children }: LegendProps) {
  const group = useId();
  return (
    <fieldset className="slotcast-question">
      <legend>{legend}</legend>
      <div className={`slotcast-${look}`}>{children(group)}</div>
    </fieldset>
  );
}

interface OptionProps {
  readonly group: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly children: ReactNode;
}

function Option({ group, isChosen, onChoose, children }: OptionProps) {
  return (
    <label className="slotcast-option">
      <input
        type="radio"
        name={group}
        checked={isChosen}
        onChange={onChoose}
        className="slotcast-radio"
      />
      <span className="slotcast-option-text">{children}</span>
    </label>
  );
}
