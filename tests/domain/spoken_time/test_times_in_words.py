"""The table of times in words: what each is read as, in `times.txt` beside this file.

A section begins with what the words are counted from: local time, zone, language. Below each text
stand its readings, with their windows in local time, or the refusal.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.domain.errors import DomainError
from service.domain.spoken_time import resolve

TABLE = Path(__file__).with_name("times.txt")


@dataclass(frozen=True)
class Case:
    now: datetime
    zone: str
    language: str
    text: str
    expected: tuple[str, ...]


def cases():
    head, text = (datetime(1970, 1, 1, tzinfo=UTC), "", ""), ""
    expected: list[str] = []
    for line in [*TABLE.read_text("utf-8").splitlines(), "## end"]:
        if line.startswith("  "):
            expected.append(line)
        elif line:
            if text:
                yield Case(*head, text, tuple(expected))
            text, expected = line, []
            if line.startswith("## ") and line != "## end":
                head, text = section(line), ""


def section(line):
    _, day, clock, zone, *language = line.split()
    # A zone that does not exist has a clock as good as any.
    local = UTC if zone == "Mars/Olympus" else ZoneInfo(zone)
    now = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=local).astimezone(UTC)
    return now, zone, "".join(language)


def told(case):
    """Return what a text is read as, in the lines of the table."""
    try:
        readings = resolve(case.text, now=case.now, zone=case.zone, language=case.language)
    except DomainError as refusal:
        field, *rest = refusal.metadata.values()
        return ("  " + ": ".join([f"{type(refusal).__name__} {field}", *rest]),)
    lines = []
    for reading in readings:
        language = "" if case.language else f" [{reading.language}]"
        lines.append(f"  {reading.pick.name}{language} {reading.words}")
        lines += [f"    {shown(window, case.zone)}" for window in reading.windows]
    return tuple(lines)


def shown(window, zone):
    start, end = (each.astimezone(ZoneInfo(zone)) for each in (window.start, window.end))
    shown_end = end.isoformat(" ", "minutes")
    if start.date() == end.date():
        shown_end = shown_end.partition(" ")[2]
    return f"{start.isoformat(' ', 'minutes')} to {shown_end}"


CASES = list(cases())


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.language or 'any'} {case.text} {case.now:%m-%d}"
)
def test_words_are_read_as_the_table_says(case):
    assert told(case) == case.expected


def test_the_table_is_large_and_has_every_language_and_refusal():
    assert len(CASES) >= 150
    assert {case.language.split("-")[0] for case in CASES} >= {"", "en", "de", "es"}
    refusals = {case.expected[0].split()[0] for case in CASES}
    assert refusals >= {
        "DateDoesNotExist",
        "InvalidRequest",
        "TimeHasPassed",
        "TimeNotUnderstood",
    }


def test_no_text_has_more_readings_than_the_protos_promise_and_some_have_as_many():
    readings = [
        sum(not line.startswith("   ") for line in case.expected if line.startswith("  "))
        for case in CASES
    ]

    assert max(readings) == 5
