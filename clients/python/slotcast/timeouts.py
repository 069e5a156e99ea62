"""How patient a client is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from slotcast.clock import Clock

_DOUBLINGS_MAX = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long a client waits, how often it tries, and what follows.

    attempt_seconds: the deadline of one attempt at a call.
    total_seconds, attempts_max: a call that has not succeeded within both raises the last error.
    back_off_seconds_min, back_off_seconds_max: the pause after a failure doubles from one to the
        other, with jitter, on top of what the server asks for.
    silence_seconds_max: a stream that did not say when it grows stale is cut after such a silence.
    outage_seconds_max: a watch that got nothing for so long raises the last error.
    clock: what all of this is measured by.
    """

    attempt_seconds: float = 5.0
    total_seconds: float = 15.0
    attempts_max: int = 5
    back_off_seconds_min: float = 0.1
    back_off_seconds_max: float = 5.0
    silence_seconds_max: float = 15.0
    outage_seconds_max: float = 3600.0
    clock: Clock = field(default_factory=Clock, repr=False, compare=False)

    def pause_seconds(self, failures: int, retry_after: timedelta | None = None) -> float:
        """Return how long to wait after so many failures in a row; never less than asked for."""
        doublings = min(max(failures - 1, 0), _DOUBLINGS_MAX)
        longest = min(self.back_off_seconds_min * (1 << doublings), self.back_off_seconds_max)
        jittered = longest * (0.5 + 0.5 * self.clock.chance())
        return jittered + (retry_after.total_seconds() if retry_after else 0.0)
