"""What a caller hands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.commands import BookSeries, Command, Outcome
from service.domain.recurrence import OCCURRENCES_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A command, who sent it under which request_id, and how its answer is written.

    `body_hash` tells whether a repeated request is the same; `encode` gives the answer's bytes,
    which are stored and returned for every repetition.
    """

    business_id: str
    principal_id: str
    request_id: str
    body_hash: bytes
    command: Command
    encode: Callable[[Outcome], bytes]

    @property
    def key(self) -> tuple[str, str]:
        """What a repetition is known by, within the business."""
        return (self.principal_id, self.request_id)

    @property
    def weight(self) -> int:
        """How many commands it counts as where a batch is bounded."""
        return OCCURRENCES_MAX if isinstance(self.command, BookSeries) else 1
