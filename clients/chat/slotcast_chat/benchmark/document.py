"""The document that the table is written into."""

from __future__ import annotations

_SCENARIOS = "../clients/chat/slotcast_chat/benchmark/scenarios"
_DOCUMENT = """\
# The agent benchmark

How well an assistant books by Slotcast's [tools](../clients/mcp/README.md), in scripted
conversations. Each is played at a business of its own, on a running service: somebody says what
they want, answers what they are asked, changes their mind; meanwhile a competitor is faster, holds
end, answers are lost. Judged is what the service's books say in the end, by an operator's key, and
never what the assistant says.

```
slotcast-chat benchmark                      the assistant by rules, on a Slotcast of its own
slotcast-chat benchmark --driver model       a model: see below
slotcast-chat benchmark --list               which conversations there are
```

## {driver}

{table}
- *success*: booked is exactly what the person wanted, or nothing where they wanted nothing.
- *double bookings*: bookings of theirs above the one that they wanted, and any two that overlap.
- *wrong times*: bookings that stand at a time which they did not agree to.
- *tool calls*, *seconds*: of one conversation, on average; what is put in a tool's way counts.
- The times of a tool's call are those of the MCP server and the service, without what a scenario
  puts in its way, over streamable HTTP. They depend on the machine, and on what else it does: this
  one has two cores, on which all of it ran.

## What is played

The scenarios are data, a file for each kind: [scenarios]({scenarios}).
The service's clock is real, so a scenario speaks of days from now: "tomorrow", `{{date:+5}}`,
`{{iso:spring}}`.
Which day that is, the benchmark reckons by itself, and not by the code under test. Add one by
writing what the person says, what happens, and what must be true in the end; the words for it are
explained in `scenario.py`, `days.py`, `person.py` and `faults.py` beside them.

## A model

Any endpoint that speaks OpenAI's chat completions can be measured; it is given the tools as the MCP
server lists them, and the same conversations:

```
export SLOTCAST_CHAT_MODEL_URL=http://127.0.0.1:11434/v1
export SLOTCAST_CHAT_MODEL=name-of-the-model
export SLOTCAST_CHAT_MODEL_KEY=...            where the endpoint asks for one
slotcast-chat benchmark --driver model --jobs 1
```

A turn ends after 90 s or 10 answers of the model, a conversation after 200,000 tokens or 20 turns.
The conversation's id and the number of the turn are filled in for the model. The scripted person
understands English questions by simple rules, so a model may be misunderstood by it: read what was
said, with `--verbose`, before you judge.
"""


def document(table: str, driver: str) -> str:
    """Return the document with a table in it."""
    title = "The assistant by rules" if driver == "rules" else "A model"
    return _DOCUMENT.format(driver=title, table=table, scenarios=_SCENARIOS)
