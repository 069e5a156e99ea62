"""A demand trace: who asked when for which unit and day. One row per request, in order."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TextIO

COLUMNS = ("requested_at", "appointment_date", "unit", "person", "no_show")
ROWS_MAX = 1_000_000
WEEK = timedelta(weeks=1)


class DamagedTrace(ValueError):
    """A trace that cannot be played, with the line that is wrong."""

    def __init__(self, line: int, what: str) -> None:
        """Name the line, as an editor counts them."""
        super().__init__(f"Line {line} of the trace: {what}")
        self.line = line


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Someone asks for an appointment at a unit on a day; `line` is where the trace says so."""

    line: int
    requested_at: datetime
    appointment_date: date
    unit: str
    person: int
    no_show: bool


def read_trace(path: Path, *, limit: int | None = None) -> list[Request]:
    """Read a .csv or .csv.gz file, or its first `limit` rows; DamagedTrace names a bad line."""
    with _open(path) as file:
        requests = list(itertools.islice(parse_trace(file), limit))
    if not requests:
        raise DamagedTrace(2, "no request follows.")
    return requests


def parse_trace(lines: Iterable[str]) -> Iterator[Request]:
    """Read rows strictly: nothing is guessed, skipped or put in order."""
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        if tuple(next(reader, ())) != COLUMNS:
            raise DamagedTrace(line, f"expected the columns {','.join(COLUMNS)}.")
        before = datetime.min.replace(tzinfo=UTC)
        line = reader.line_num + 1
        for count, cells in enumerate(reader, start=1):
            if count > ROWS_MAX:
                raise DamagedTrace(line, f"more than {ROWS_MAX:,} rows.")
            request = _request(line, cells)
            if request.requested_at < before:
                raise DamagedTrace(line, "requested before the row above it.")
            before = request.requested_at
            yield request
            line = reader.line_num + 1
    except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DamagedTrace(line, f"{error}.") from error


def weeks_until(requests: Sequence[Request], earliest: date) -> int:
    """Return how many weeks later the first appointment lies on or after `earliest`."""
    first = min(request.appointment_date for request in requests)
    return -((first - earliest).days // WEEK.days)


def move(requests: Iterable[Request], weeks: int) -> list[Request]:
    """Move all by whole weeks: weekdays, and how long before one asks, stay as they were."""
    span = weeks * WEEK
    return [
        replace(
            request,
            requested_at=request.requested_at + span,
            appointment_date=request.appointment_date + span,
        )
        for request in requests
    ]


def of_busiest_units(requests: Sequence[Request], units: int) -> list[Request]:
    """Keep the requests of so many units: those that were asked for most."""
    kept = {unit for unit, _ in Counter(request.unit for request in requests).most_common(units)}
    return [request for request in requests if request.unit in kept]


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _request(line: int, cells: Sequence[str]) -> Request:
    if len(cells) != len(COLUMNS):
        raise DamagedTrace(line, f"{len(cells)} cells, not {len(COLUMNS)}.")
    requested_at, appointment_date, unit, person, no_show = cells
    if not unit.strip():
        raise DamagedTrace(line, "no unit is named.")
    return Request(
        line=line,
        requested_at=_instant(line, requested_at),
        appointment_date=_day(line, appointment_date),
        unit=unit,
        person=_number(line, person),
        no_show=_flag(line, no_show),
    )


def _instant(line: int, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise DamagedTrace(line, f"requested_at {text!r} is no instant in UTC.") from None


def _day(line: int, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise DamagedTrace(line, f"appointment_date {text!r} is no day.") from None


def _number(line: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise DamagedTrace(line, f"person {text!r} is no number.")
    return int(text)


def _flag(line: int, text: str) -> bool:
    if text not in {"0", "1"}:
        raise DamagedTrace(line, f"no_show {text!r} is neither 0 nor 1.")
    return text == "1"
