"""What a delivery says about its letter: which appointments, as they were, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service.domain.booking import BookingStatus
from service.domain.change import BookingState, OfferRef, Placement
from service.domain.interval import Interval
from service.notify.letters.facts import Recipient


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A letter to write.

    `calendar_id` is whose staff it is for, empty: it is for the customer. One that is `within`
    another is about appointments which that one tells of too. `waiting` is an entry of the waitlist
    which that is about alone.
    """

    states: tuple[BookingState, ...] = ()
    calendar_id: str = ""
    moved_away: bool = False
    within: UUID | None = None
    offer: OfferRef | None = None
    waiting: UUID | None = None

    @property
    def recipient(self) -> Recipient:
        """Whom it is for."""
        return Recipient.STAFF if self.calendar_id else Recipient.CUSTOMER


def body_of(order: Order) -> dict[str, Any]:
    """Write an order as a delivery keeps it."""
    body: dict[str, Any] = {}
    if order.states:
        body["bookings"] = [_state_to_json(state) for state in order.states]
    if order.calendar_id:
        body["calendar"] = order.calendar_id
    if order.moved_away:
        body["moved_away"] = True
    if order.within is not None:
        body["within"] = str(order.within)
    if order.offer is not None:
        body["offer"] = {
            "entry": str(order.offer.entry_id),
            "hold": str(order.offer.hold_id),
            "expires": order.offer.expires_at.isoformat(),
        }
    if order.waiting is not None:
        body["waiting"] = str(order.waiting)
    return body


def order_of(body: Mapping[str, Any]) -> Order:
    """Read what `body_of` wrote."""
    within, offer, waiting = body.get("within"), body.get("offer"), body.get("waiting")
    return Order(
        states=tuple(_state_from_json(state) for state in body.get("bookings", ())),
        calendar_id=body.get("calendar", ""),
        moved_away=body.get("moved_away", False),
        within=None if within is None else UUID(within),
        offer=None
        if offer is None
        else OfferRef(
            entry_id=UUID(offer["entry"]),
            hold_id=UUID(offer["hold"]),
            expires_at=datetime.fromisoformat(offer["expires"]),
        ),
        waiting=None if waiting is None else UUID(waiting),
    )


def _state_to_json(state: BookingState) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": str(state.booking_id),
        "version": state.version,
        "status": state.status.value,
        "type": state.type_id,
        "zone": state.zone,
        **_placement_to_json(state.calendar_ids, state.appointment),
    }
    if state.before is not None:
        written["before"] = _placement_to_json(state.before.calendar_ids, state.before.appointment)
    return written


def _state_from_json(written: Mapping[str, Any]) -> BookingState:
    placement, before = _placement_from_json(written), written.get("before")
    return BookingState(
        booking_id=UUID(written["id"]),
        version=written["version"],
        status=BookingStatus(written["status"]),
        type_id=written["type"],
        calendar_ids=placement.calendar_ids,
        appointment=placement.appointment,
        zone=written["zone"],
        before=None if before is None else _placement_from_json(before),
    )


def _placement_to_json(calendar_ids: tuple[str, ...], appointment: Interval) -> dict[str, Any]:
    return {
        "calendars": list(calendar_ids),
        "start": appointment.start.isoformat(),
        "end": appointment.end.isoformat(),
    }


def _placement_from_json(written: Mapping[str, Any]) -> Placement:
    return Placement(
        calendar_ids=tuple(written["calendars"]),
        appointment=Interval(
            datetime.fromisoformat(written["start"]), datetime.fromisoformat(written["end"])
        ),
    )
