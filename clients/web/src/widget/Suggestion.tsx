import { useSpeaking } from "../words/provider.js";
import { Icon } from "./parts.js";

export interface SuggestionProps {
  /** That of the field. */
  readonly id: string;
  /** That of the box. */
  readonly name: string;
  /** What the field is called. */
  readonly label: string;
  readonly isConfirmed: boolean;
  /** True: nothing is sent of it unless it is confirmed, so that it may be left as it is. */
  readonly isOptional?: boolean;
  readonly isReadOnly: boolean;
  /** True: it was not confirmed, and stands in the way. */
  readonly isMissed: boolean;
  readonly onConfirm: (isConfirmed: boolean) => void;
}

/** The id of what a field is described by: that it is a suggestion, and why. */
export function suggestionId(id: string): string {
  return `${id}-suggestion`;
}

/** Below a field: that a model filled it in, and a box to say that it is right. */
export function Suggestion(props: SuggestionProps) {
  const { id, label, isMissed, isOptional = false } = props;
  const { text } = useSpeaking();
  const messageId = `${id}-unconfirmed`;
  return (
    <div className="slotcast-suggestion">
      <p id={suggestionId(id)}>
        <Icon name="info" />
        {text("suggested")}
      </p>
      <label className="slotcast-confirm">
        <input
          type="checkbox"
          name={props.name}
          checked={props.isConfirmed}
          required={!isOptional}
          disabled={props.isReadOnly}
          aria-invalid={isMissed}
          aria-describedby={isMissed ? messageId : undefined}
          onChange={(event) => props.onConfirm(event.target.checked)}
        />
        <span>
          {text("suggestionRight")} <span className="slotcast-unseen">({label})</span>
        </span>
      </label>
      {isMissed && (
        <p id={messageId} className="slotcast-message">
          {text("confirmSuggestion")}
        </p>
      )}
    </div>
  );
}
