"""Handing a command to its lane, and saying what is open instead where a slot is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from service.actions.lanes import Lanes
from service.actions.submission import Submission
from service.domain.commands import Command, Outcome
from service.domain.errors import SlotOffGrid, SlotRefused
from service.rpc.alternatives import AlternativeSlots
from service.rpc.status import SlotRefusedWithAlternatives

Encode = Callable[[Outcome], bytes]


class Mutation(Protocol):
    """A request that changes something."""

    @property
    def request_id(self) -> str:
        """What a repetition is known by."""

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:
        """Return its bytes."""


@dataclass(kw_only=True, slots=True)
class Asking:
    """Who asks, for which business, by which method."""

    method_name: str
    business_id: str
    principal_id: str


class Submitter:
    """Submits commands to the lanes."""

    def __init__(self, lanes: Lanes, alternatives: AlternativeSlots) -> None:
        """Take the lanes, and what knows which slots are open."""
        self._lanes = lanes
        self._alternatives = alternatives

    async def submit(
        self, asking: Asking, request: Mutation, command: Command, encode: Encode
    ) -> bytes:
        """Return the answer to a command, or raise what refuses it."""
        submission = Submission(
            business_id=asking.business_id,
            principal_id=asking.principal_id,
            request_id=request.request_id,
            body_hash=body_hash(asking.method_name, request),
            command=command,
            encode=encode,
        )
        try:
            return await self._lanes.submit(submission)
        except (SlotRefused, SlotOffGrid) as error:
            found = await self._alternatives.find(asking.business_id, command, error)
            if found is None:
                raise
            raise SlotRefusedWithAlternatives(error, found) from error


def body_hash(method_name: str, request: Mutation) -> bytes:
    """Return what tells two requests of the same id apart.

    The id is hashed as well: that changes nothing, as only requests of one id are compared.
    """
    data = request.SerializeToString(deterministic=True)
    return hashlib.sha256(method_name.encode() + b"\n" + data).digest()
