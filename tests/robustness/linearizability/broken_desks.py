"""Desks that break a promise, each in its own way, for those who judge to find."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from service.domain.booking import HoldStatus
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import BookingCommand
from service.domain.ledger import Decision
from tests.robustness.linearizability.rehearsal import Desk


class Forgetful(Desk):
    """Answers that something was booked, and does not keep it."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        before = len(self.changes)
        answer = super().answer(method, request, now)
        if method == "Book" and len(self.changes) > before:
            for claim in self.changes[-1].added:
                self.ledger.offer.claims.remove(claim.claim_id)
        return answer


class Unheld(Desk):
    """Lets others have what is held."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        for claim in list(self.ledger.offer.claims):
            if claim.kind is ClaimKind.HOLD:
                self.ledger.offer.claims.remove(claim.claim_id)
        return super().answer(method, request, now)


class Clinging(Desk):
    """Answers that a booking was cancelled, and keeps its place."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        before = list(self.ledger.offer.claims)
        answer = super().answer(method, request, now)
        if method == "CancelBooking":
            for claim in before:
                self.ledger.offer.claims.add(claim)
        return answer


class Repeating(Desk):
    """Does again what it is asked again."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        self.answers.pop(getattr(request, "request_id", ""), None)
        return super().answer(method, request, now)


class Late(Desk):
    """Lists what was open when it was asked before."""

    def __init__(self) -> None:
        """Begin with no list."""
        super().__init__()
        self._listed: dict[bytes, Any] = {}

    def answer(self, method: str, request: Any, now: Any) -> Any:
        answer = super().answer(method, request, now)
        if method != "ListSlots":
            return answer
        before = self._listed.get(request.SerializeToString(), answer)
        self._listed[request.SerializeToString()] = answer
        return before


class Misjudging(Desk):
    """Explains that nothing is in the way."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        answer = super().answer(method, request, now)
        if method == "ExplainSlot":
            for verdict in answer.verdicts:
                verdict.passed = True
        return answer


class Unclosing(Desk):
    """Answers that calendars were closed, and goes on with what was open."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        offer = self.ledger.offer
        answer = super().answer(method, request, now)
        if method == "CreateClosure":
            self.ledger.offer = offer
        return answer


class Unbusied(Desk):
    """Answers that busy time was imported, and has none."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        answer = super().answer(method, request, now)
        for claim in list(self.ledger.offer.claims):
            if claim.kind is ClaimKind.BUSY:
                self.ledger.offer.claims.remove(claim.claim_id)
        return answer


class Unmoved(Desk):
    """Goes on by the clock that it had, when that is set forward."""

    def __init__(self) -> None:
        """Begin on time."""
        super().__init__()
        self._last: datetime | None = None
        self._behind = timedelta()

    def answer(self, method: str, request: Any, now: Any) -> Any:
        if self._last is not None and now - self._last > timedelta(seconds=3):
            self._behind += now - self._last
        self._last = now
        return super().answer(method, request, now - self._behind)


class Reviving(Desk):
    """Gives holds that count again, as the clock is set back, the place that others have by now."""

    def __init__(self) -> None:
        """Begin with no hold."""
        super().__init__()
        self._held: dict[str, list[Claim]] = {}

    def answer(self, method: str, request: Any, now: Any) -> Any:
        for hold in self.ledger.holds.values():
            if hold.status is HoldStatus.LIVE and hold.expires_at > now:
                for claim in self._held[str(hold.hold_id)]:
                    self.ledger.offer.claims.remove(claim.claim_id)
                    self.ledger.offer.claims.add(claim)
        return super().answer(method, request, now)

    def _settle(self, command: BookingCommand) -> Decision:
        decision = super()._settle(command)
        added = [claim for claim in decision.added if claim.kind is ClaimKind.HOLD]
        self._held.update({claim.owner_id: [] for claim in added})
        for claim in added:
            self._held[claim.owner_id].append(claim)
        return decision


class Recutting(Desk):
    """Cuts what stands to the buffer that its type is altered to, and lets others have the rest."""

    def answer(self, method: str, request: Any, now: Any) -> Any:
        answer = super().answer(method, request, now)
        if method == "UpdateAppointmentType":
            altered = request.appointment_type
            claims = self.ledger.offer.claims
            for claim in list(claims):
                if claim.appointment and claim.type_id == altered.name.rpartition("/")[2]:
                    end = claim.appointment.end + altered.buffer_after.ToTimedelta()
                    claims.remove(claim.claim_id)
                    claims.add(replace(claim, end=min(end, claim.end)))
        return answer
