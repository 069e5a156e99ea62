import type { ChangeEvent, ReactNode } from "react";
import { useSpeaking } from "../words/provider.js";

export interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "email" | "tel" | "lines";
  readonly autoComplete: string;
  readonly value: string;
  readonly isOptional: boolean;
  readonly isReadOnly: boolean;
  /** What is wrong with it, or nothing. */
  readonly message: string | undefined;
  /** The id of what else is to be known of it. */
  readonly describedBy?: string | undefined;
  /** Below it, and what that is for. */
  readonly look?: string;
  readonly children?: ReactNode;
  readonly onType: (value: string) => void;
  readonly onLeave: () => void;
}

export function Field(props: FieldProps) {
  const { id, label, type, message, isOptional, describedBy, look = "" } = props;
  const { text } = useSpeaking();
  const messageId = `${id}-message`;
  const descriptions = [message !== undefined && messageId, describedBy].filter(Boolean);
  const common = {
    id,
    name: props.name,
    className: "slotcast-input",
    value: props.value,
    readOnly: props.isReadOnly,
    autoComplete: props.autoComplete,
    required: !isOptional,
    "aria-invalid": message !== undefined,
    "aria-describedby": descriptions.join(" ") || undefined,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      props.onType(event.target.value),
    onBlur: props.onLeave,
  };
  return (
    <div className={`slotcast-field ${look}`}>
      <label htmlFor={id}>
        {label}
        {isOptional && <span className="slotcast-optional"> {text("optional")}</span>}
      </label>
      {type === "lines" ? (
        <textarea {...common} rows={3} />
      ) : (
        <input {...common} type={type} dir={type === "text" ? "auto" : "ltr"} />
      )}
      {message !== undefined && (
        <p id={messageId} className="slotcast-message">
          {message}
        </p>
      )}
      {props.children}
    </div>
  );
}
