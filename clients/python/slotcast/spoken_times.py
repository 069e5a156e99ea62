"""Times in words, and what they may mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slotcast import convert
from slotcast.v1 import availability_service_pb2 as pb
from slotcast.waitlist import TimeWindow


class TimePick(StrEnum):
    """Which of the open slots in the windows are meant.

    AT: one that starts at the first instant of a window, and where there is none, those near it.
    """

    ANY = "ANY"
    FIRST = "FIRST"
    LAST = "LAST"
    AT = "AT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeReading:
    """One thing that words for a time may mean.

    `words` says it in English, with zone and offset. A slot of `windows` starts in one of them.
    """

    words: str
    windows: tuple[TimeWindow, ...]
    pick: TimePick
    language: str


def time_reading(message: pb.TimeReading) -> TimeReading:
    """Read one reading."""
    return TimeReading(
        words=message.words,
        windows=tuple(
            TimeWindow(
                start=convert.instant(window.start_time), end=convert.instant(window.end_time)
            )
            for window in message.windows
        ),
        pick=convert.word(TimePick, pb.TimeReading.Pick.Name, "PICK_", message.pick),
        language=message.language,
    )
