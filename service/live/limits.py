"""What the watch path may take of time and room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveLimits:
    """Every wait, size and pace of the watch path that may be set."""

    heartbeat_seconds: float = 2.5
    verify_seconds: float = 1.0
    stream_age_seconds_max: float = 1800.0
    # Of a web page's stream: whatever is between it and us holds on to nothing for longer.
    web_stream_age_seconds_max: float = 300.0
    # W8, and a token that is ahead: how long to wait for a revision.
    revision_wait_seconds_max: float = 1.0
    # For how long a watch waits for its business to be loaded, before it is told to retry.
    loading_seconds_max: float = 20.0
    # A view is settled at most this often; what comes in between is merged.
    pace_seconds: float = 0.010
    # How long the event loop may be held by settling views before others get their turn.
    slice_seconds: float = 0.004
    views_max: int = 10_000
    replicas_max: int = 1_000
    replica_idle_seconds_max: float = 600.0
    drain_delay_seconds_max: float = 1.0

    def stream_age_seconds(self, *, is_web: bool) -> float:
        """Return how long a stream lasts until it is told goodbye."""
        age = self.stream_age_seconds_max
        return min(age, self.web_stream_age_seconds_max) if is_web else age
