import { useState } from "react";
import type { Problem } from "../api/problem.js";
import type { FormField } from "../form/rules.js";
import { useSpeaking } from "../words/provider.js";
import type { FormValues } from "./draft.js";
import { type Messages, ownMessages, serviceMessages } from "./formMessages.js";

export interface MessagesAtFields {
  readonly messages: Messages;
  edited(field: FormField): void;
  left(field: FormField): void;
  /** All is checked; which fields are wrong, in their order. */
  submitted(): readonly FormField[];
}

/** A field is judged when it is left after it was written in, and all of them when the form is sent. */
export function useMessages(values: FormValues, problem: Problem | null): MessagesAtFields {
  const { text } = useSpeaking();
  const [isSubmitted, setSubmitted] = useState(false);
  const [edited, setEdited] = useState<ReadonlySet<FormField>>(new Set());
  const [left, setLeft] = useState<ReadonlySet<FormField>>(new Set());
  const [since, setSince] = useState<{ problem: Problem | null; fields: ReadonlySet<FormField> }>(
    NONE,
  );
  const own = ownMessages(values, text);
  const mended = since.problem === problem ? since.fields : NONE.fields;
  const ofService = except(serviceMessages(problem, text), mended);
  const shown = isSubmitted ? own : only(own, left);
  return {
    messages: { ...ofService, ...shown },
    edited: (field) => {
      setEdited(new Set([...edited, field]));
      setSince({ problem, fields: new Set([...mended, field]) });
    },
    left: (field) => {
      if (edited.has(field)) setLeft(new Set([...left, field]));
    },
    submitted: () => {
      setSubmitted(true);
      return Object.keys(own) as FormField[];
    },
  };
}

const NONE = { problem: null, fields: new Set<FormField>() };

function only(messages: Messages, fields: ReadonlySet<FormField>): Messages {
  return Object.fromEntries(
    Object.entries(messages).filter(([field]) => fields.has(field as FormField)),
  );
}

function except(messages: Messages, fields: ReadonlySet<FormField>): Messages {
  return Object.fromEntries(
    Object.entries(messages).filter(([field]) => !fields.has(field as FormField)),
  );
}
