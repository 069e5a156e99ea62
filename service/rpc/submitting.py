"""Handing a command to its lane, and saying what is open instead where a slot is refused."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

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
    """Who asks, for which business, by which method.

    `acts_as`: whose holds and waitlist entries it uses, where not its own.
    """

    method_name: str
    business_id: str
    principal_id: str
    acts_as: str | None = None

    @property
    def acting_id(self) -> str:
        """Whose holds and waitlist entries it uses."""
        return self.acts_as or self.principal_id


class Wanted(NamedTuple):
    """What a request wants done, and how the answer is written."""

    command: Command
    encode: Encode


class Submitter:
    """Submits commands to the lanes."""

    def __init__(self, lanes: Lanes, alternatives: AlternativeSlots) -> None:
        """Take the lanes, and what knows which slots are open."""
        self._lanes = lanes
        self._alternatives = alternatives

    async def submit(self, asking: Asking, request: Mutation, wanted: Wanted) -> bytes:
        """Return the answer to a command, or raise what refuses it."""
        try:
            return await self.begin(asking, request, wanted)
        except (SlotRefused, SlotOffGrid) as error:
            found = await self._alternatives.find(asking.business_id, wanted.command, error)
            if found is None:
                raise
            raise SlotRefusedWithAlternatives(error, found) from error

    def begin(self, asking: Asking, request: Mutation, wanted: Wanted) -> asyncio.Future[bytes]:
        """Put a command into its lane, and return what will be its answer."""
        return self._lanes.submit(
            Submission(
                business_id=asking.business_id,
                principal_id=asking.principal_id,
                request_id=request.request_id,
                body_hash=body_hash(asking.method_name, request),
                command=wanted.command,
                encode=wanted.encode,
            )
        )

    async def with_alternatives(
        self, asking: Asking, command: Command, error: SlotRefused | SlotOffGrid
    ) -> SlotRefused | SlotOffGrid | SlotRefusedWithAlternatives:
        """Return the refusal of a slot, with what is open instead where that is known in time."""
        found = await self._alternatives.find(asking.business_id, command, error)
        return error if found is None else SlotRefusedWithAlternatives(error, found)


def body_hash(method_name: str, request: Mutation) -> bytes:
    """Return what tells two requests of the same id apart.

    The id is hashed as well: that changes nothing, as only requests of one id are compared.
    """
    data = request.SerializeToString(deterministic=True)
    return hashlib.sha256(method_name.encode() + b"\n" + data).digest()
