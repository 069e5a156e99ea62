"""How long what a stream told stays good."""

from __future__ import annotations

from slotcast.clock import Clock


class Freshness:
    """Counts down from each frame to the moment when what it told is stale."""

    def __init__(self, clock: Clock) -> None:
        """Begin stale."""
        self._clock = clock
        self._good_until = clock.monotonic()
        self._shortest_way: float | None = None

    @property
    def seconds_left(self) -> float:
        """How long it stays good without another frame; 0 or less: it is stale."""
        return self._good_until - self._clock.monotonic()

    def begin_stream(self) -> None:
        """Forget how long frames were under way: another server may have another clock."""
        self._shortest_way = None

    def told(self, as_of_seconds: float, stale_after_seconds: float) -> None:
        """Count from a frame that says how things were at an instant by the server's clock.

        A frame that was under way for longer than the quickest one of its stream is so much the
        older: a program that was stopped for a minute reads old frames first.
        """
        now = self._clock.monotonic()
        way = now - as_of_seconds
        self._shortest_way = way if self._shortest_way is None else min(way, self._shortest_way)
        age = way - self._shortest_way
        self._good_until = now + stale_after_seconds - age

    def heard(self, stale_after_seconds: float) -> None:
        """Count from a frame that does not say when it was true."""
        self._good_until = self._clock.monotonic() + stale_after_seconds

    def lapse(self) -> None:
        """Be stale from now on."""
        self._good_until = self._clock.monotonic()
