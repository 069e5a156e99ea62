"""Failpoints: named places at which a test may end this process, as a crash there would.

Nothing in the service arms one, and no setting does; what is not armed costs a comparison.
"""

from __future__ import annotations

import os
import signal
import time
from enum import Enum, auto


class Failpoint(Enum):
    """The places, in the order in which a booking comes by."""

    BEFORE_BEGIN = auto()
    AFTER_INSERT = auto()
    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()
    BEFORE_ANSWER = auto()
    BEFORE_HINT = auto()
    BEFORE_APPLY = auto()
    BEFORE_SNAPSHOT = auto()
    BEFORE_DELTA = auto()
    BEFORE_HEARTBEAT = auto()
    BEFORE_TRIMMING = auto()
    IN_TRIMMING = auto()
    AFTER_PLAN = auto()
    AFTER_LEASE = auto()
    BEFORE_RECORD = auto()


_armed: Failpoint | None = None
_armed_from = 0.0


def arm(name: str, *, after_seconds: float) -> None:
    """End this process, by SIGKILL, the first time that it comes by after so many seconds."""
    global _armed, _armed_from
    _armed, _armed_from = Failpoint[name], time.monotonic() + after_seconds


def reach(failpoint: Failpoint) -> None:
    """Come by."""
    if failpoint is _armed and time.monotonic() >= _armed_from:
        os.kill(os.getpid(), signal.SIGKILL)
