"""Changes as bytes: what the change log stores and a hint carries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from service.domain.booking import BookingStatus
from service.domain.change import (
    BookingState,
    Change,
    ChangeKind,
    ClaimRef,
    OfferRef,
    Placement,
)
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Made once: json.dumps would make one for each change.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def change_to_json(change: Change) -> bytes:
    """Write a change. Instants are microseconds since 1970."""
    body: dict[str, Any] = {"r": change.revision, "t": _micros(change.at), "k": change.kind.value}
    if change.added:
        body["a"] = [_claim_to_row(claim) for claim in change.added]
    if change.removed:
        body["d"] = [
            [str(ref.claim_id), ref.calendar_id, _micros(ref.start), _micros(ref.end)]
            for ref in change.removed
        ]
    if change.booking_ids:
        body["b"] = [str(booking_id) for booking_id in change.booking_ids]
    if change.reread_calendar_ids is not None:
        body["c"] = change.reread_calendar_ids
    if change.bookings:
        body["s"] = [_state_to_row(state) for state in change.bookings]
    if change.offers:
        body["o"] = [
            [str(offer.entry_id), str(offer.hold_id), _micros(offer.expires_at)]
            for offer in change.offers
        ]
    if change.entry_ids:
        body["w"] = [str(entry_id) for entry_id in change.entry_ids]
    return _encode(body).encode()


def change_from_json(data: bytes) -> Change:
    """Read what `change_to_json` wrote."""
    body = json.loads(data)
    reread = body.get("c")
    return Change(
        revision=body["r"],
        at=_instant(body["t"]),
        kind=ChangeKind(body["k"]),
        added=tuple(_claim_from_row(row) for row in body.get("a", ())),
        removed=tuple(
            ClaimRef(
                claim_id=UUID(claim_id),
                calendar_id=calendar_id,
                start=_instant(start),
                end=_instant(end),
            )
            for claim_id, calendar_id, start, end in body.get("d", ())
        ),
        booking_ids=tuple(UUID(booking_id) for booking_id in body.get("b", ())),
        reread_calendar_ids=None if reread is None else tuple(reread),
        bookings=tuple(_state_from_row(row) for row in body.get("s", ())),
        offers=tuple(
            OfferRef(entry_id=UUID(entry), hold_id=UUID(hold), expires_at=_instant(expiry))
            for entry, hold, expiry in body.get("o", ())
        ),
        entry_ids=tuple(UUID(entry_id) for entry_id in body.get("w", ())),
    )


def _state_to_row(state: BookingState) -> list[Any]:
    return [
        str(state.booking_id),
        state.version,
        state.status.value,
        state.type_id,
        state.calendar_ids,
        _micros(state.appointment.start),
        _micros(state.appointment.end),
        state.zone,
        None
        if state.before is None
        else [
            state.before.calendar_ids,
            _micros(state.before.appointment.start),
            _micros(state.before.appointment.end),
        ],
    ]


def _state_from_row(row: list[Any]) -> BookingState:
    booking_id, version, status, type_id, calendar_ids, start, end, zone, before = row
    return BookingState(
        booking_id=UUID(booking_id),
        version=version,
        status=BookingStatus(status),
        type_id=type_id,
        calendar_ids=tuple(calendar_ids),
        appointment=Interval(_instant(start), _instant(end)),
        zone=zone,
        before=None if before is None else _placement(*before),
    )


def _placement(calendar_ids: list[str], start: int, end: int) -> Placement:
    return Placement(
        calendar_ids=tuple(calendar_ids), appointment=Interval(_instant(start), _instant(end))
    )


def _claim_to_row(claim: Claim) -> list[Any]:
    appointment = claim.appointment
    return [
        str(claim.claim_id),
        claim.calendar_id,
        claim.kind.value,
        claim.owner_id,
        _micros(claim.start),
        _micros(claim.end),
        claim.type_id,
        None if appointment is None else _micros(appointment.start),
        None if appointment is None else _micros(appointment.end),
        claim.seat,
        None if claim.expires_at is None else _micros(claim.expires_at),
        claim.holder_key,
    ]


def _claim_from_row(row: list[Any]) -> Claim:
    claim_id, calendar_id, kind, owner_id, start, end, type_id, first, last, seat, expiry, key = row
    return Claim(
        claim_id=UUID(claim_id),
        calendar_id=calendar_id,
        kind=ClaimKind(kind),
        owner_id=owner_id,
        start=_instant(start),
        end=_instant(end),
        type_id=type_id,
        appointment=None if first is None else Interval(_instant(first), _instant(last)),
        seat=seat,
        expires_at=None if expiry is None else _instant(expiry),
        holder_key=key,
    )


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
