"""Desks that break a promise, each in its own way, for those who judge to find."""

from __future__ import annotations

from typing import Any

from service.domain.claim import ClaimKind
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
