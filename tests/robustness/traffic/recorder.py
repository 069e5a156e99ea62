"""The recorder: makes the calls of a history, and notes what became of each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from slotcast.error_details import error_of_call, error_of_status
from slotcast.errors import SlotcastError
from tests.robustness.history import INTERNAL_FAULT, Call, History, Outcome

CHANNEL_CLOSED = "CHANNEL_CLOSED"
"""The reason of a call whose own channel ended under it."""
UNKNOWN_REASONS = frozenset({"TRY_AGAIN", INTERNAL_FAULT})
"""Refusals that do not say that nothing was changed."""
UNEXPECTED = "Unexpected <class"
"""So begins what gRPC's server tells of an exception that the service let out."""
Metadata = Sequence[tuple[str, str]]


class Recorder:
    """Writes one history. Its clock begins at 0."""

    def __init__(self, *, seed: int, scenario: str, business_id: str) -> None:
        """Begin now."""
        self._began = time.monotonic()
        started_at = datetime.now(UTC)
        self.history = History(
            seed=seed, scenario=scenario, business_id=business_id, started_at=started_at
        )
        self.acknowledged = 0
        self._operations = 0

    @property
    def now(self) -> float:
        """The instant, in seconds."""
        return time.monotonic() - self._began

    @property
    def wall(self) -> datetime:
        """What the machine's clock shows, without its steps."""
        return self.history.started_at + timedelta(seconds=self.now)

    def operation(self) -> int:
        """Return the number of a new operation."""
        self._operations += 1
        return self._operations

    def begin(
        self,
        operation: int,
        client: str,
        server: str,
        method: str,
        request: Any,
        *,
        principal: str = "",
        is_stranger: bool = False,
    ) -> Call:
        """Note that a call begins."""
        calls = self.history.strangers if is_stranger else self.history.calls
        call = Call(
            number=len(calls) + 1,
            operation=operation,
            client=client,
            server=server,
            method=method,
            request=request,
            began=self.now,
            principal=principal,
        )
        calls.append(call)
        return call

    async def make(self, call: Call, answer: Callable[[], Awaitable[Any]]) -> Call:
        """Make a call, and note its answer; cancelled, it stays UNKNOWN."""
        try:
            response = await answer()
        except grpc.aio.AioRpcError as failure:
            self.refused(call, error_of_call(failure))
        except grpc.aio.UsageError:
            call.reason = CHANNEL_CLOSED
        else:
            self.answered(call, response)
        return call

    def answered(self, call: Call, response: Any) -> None:
        """Note an OK answer."""
        call.ended, call.outcome, call.response = self.now, Outcome.OK, response
        call.revision = response.revision
        self.acknowledged = max(self.acknowledged, call.revision)

    def refused(self, call: Call, error: SlotcastError) -> None:
        """Note a refusal, or that nothing is known."""
        call.ended = self.now
        call.reason, call.words = reason_of(error), error.message
        call.revision, call.alternatives = error.revision, error.alternatives
        is_known = error.reason and call.reason not in UNKNOWN_REASONS
        call.outcome = Outcome.REFUSED if is_known else Outcome.UNKNOWN

    def refused_on_stream(self, call: Call, status: Status) -> None:
        """Note a refusal that came as an answer on a stream."""
        self.refused(call, error_of_status(status))


def reason_of(error: SlotcastError) -> str:
    """Return the reason that the service gave, or the status code where the way gave one."""
    is_fault = error.reason == "INTERNAL"
    is_let_out = not error.reason and error.message.startswith(UNEXPECTED)
    return INTERNAL_FAULT if is_fault or is_let_out else error.reason or error.code.name
