import type { ReactNode } from "react";
import type { Catalog } from "../api/model.js";
import { useSpeaking } from "../words/provider.js";
import { personOf } from "./selection.js";

export interface SummaryProps {
  readonly catalog: Catalog;
  readonly appointmentType: string;
  readonly calendars: readonly string[];
  readonly start: Date;
  readonly end: Date;
}

/** What, when, with whom, and by whose clock. */
export function Summary({ catalog, appointmentType, calendars, start, end }: SummaryProps) {
  const { text, formats } = useSpeaking();
  const type = catalog.types.find(({ name }) => name === appointmentType);
  const person = personOf(catalog, appointmentType, calendars);
  return (
    <dl className="slotcast-summary">
      <Row term={text("appointment")}>{type?.displayName}</Row>
      <Row term={text("when")}>
        <strong>{formats.day(start)}</strong>
        {formats.timeRange(start, end)}
        <span className="slotcast-zone">
          <bdi>{zoneLabel(formats.timeZone)}</bdi> · <bdi>{formats.offsetName(start)}</bdi>
        </span>
      </Row>
      {person && <Row term={text("person")}>{person}</Row>}
    </dl>
  );
}

function Row({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="slotcast-row">
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function zoneLabel(timeZone: string): string {
  return timeZone.replaceAll("_", " ");
}
