"""The scripted person: says the lines of the scenario, and answers what it is asked by rules."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from slotcast_chat.benchmark.days import filled
from slotcast_chat.benchmark.scenario import Scenario

NUDGES_MAX = 3

_DONE = re.compile(
    r"\b(?:booked|moved|rescheduled|cancelled|canceled|asked for|on the waitlist"
    r"|leave your appointment|nothing is booked)\b",
    re.IGNORECASE,
)
_KINDS = (
    ("zone", re.compile(r"\bcity\b|\btime ?zone\b|\bwhere are you\b", re.IGNORECASE)),
    ("name", re.compile(r"\bname\b", re.IGNORECASE)),
    ("email", re.compile(r"\be-?mail\b", re.IGNORECASE)),
    (
        "confirm",
        re.compile(
            r"\b(?:shall|should|may|can) i (?:go ahead|book|move|cancel|confirm|reschedule)\b"
            r"|\bconfirm\b"
            r"|\b(?:is|does) (?:that|this|it|everything) (?:all )?(?:right|correct|ok|good|sound)"
            r"|\bwould you like me to (?:book|confirm|cancel|move)\b|\bdo you (?:want|agree)\b",
            re.IGNORECASE,
        ),
    ),
)


class Person:
    """Somebody who wants an appointment."""

    def __init__(self, scenario: Scenario, now: datetime) -> None:
        """Take what they will say."""
        self._scenario = scenario
        self._lines = [
            (line.at, filled(line.say, now, ZoneInfo(scenario.zone))) for line in scenario.says
        ]
        self._nudges = 0

    @property
    def prefers_forms(self) -> bool:
        """True: they leave as soon as they have the link to one."""
        return self._scenario.form

    def reply(self, said: str) -> str | None:
        """Return what they say to that; None: they leave."""
        asked = question_of(said)
        if self._lines and self._lines[0][0] in _MATCHES[asked]:
            return self._lines.pop(0)[1]
        answer = self._answers().get(asked)
        if answer is not None:
            return answer
        if asked == "done" or self._nudges >= NUDGES_MAX:
            return None
        self._nudges += 1
        return (
            "The first one, please."
            if re.search(r"^\s*(?:1\.|[-*•] )", said, re.MULTILINE)
            else "Yes, please."
        )

    def _answers(self) -> dict[str, str]:
        who = self._scenario
        return {
            "zone": f"I am in {who.city}.",
            "name": f"{who.person_name}, {who.email}" if who.email else who.person_name,
            "email": who.email or "No, I have none.",
            "confirm": "Yes, please.",
        }


_MATCHES = {
    "any": {"any"},
    "done": {"any", "done"},
    "name": {"name"},
    "email": {"email"},
    "zone": {"zone"},
    "confirm": {"confirm"},
}


def question_of(said: str) -> str:
    """Return what the assistant asks for: by its last question, or whether it says it is done."""
    questions = re.findall(r"[^.?!\n]*\?", said)
    if not questions:
        return "done" if _DONE.search(said) else "any"
    return next((kind for kind, pattern in _KINDS if pattern.search(questions[-1])), "any")
