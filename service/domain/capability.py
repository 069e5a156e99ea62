"""Capabilities: signed tokens that let whoever has a letter, or a ticket, do something.

A token names one booking, one entry of the waitlist, or one handoff, and stands for an API key that
may do nothing else. It is stored nowhere; whether what it names still stands is asked whenever it
is used.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.domain.booking import BookingStatus
from service.domain.waitlist import EntryStatus

TOKEN_PREFIX = "slotcast_manage_"  # noqa: S105 (what all of them begin with)
TICKET_PREFIX = "slotcast_handoff_"
TOKEN_CHARACTERS_MAX = 160
"""A token with the longest business has 121; what is longer is none, and is not even decoded."""

BOOKING_LASTS_AFTER_THE_END = timedelta(days=366)
"""A booking that is moved to a later day keeps its links; whether it is over, its row says."""

OFFER_LASTS_AFTER_THE_END = timedelta(hours=1)
"""An offer that nobody has passed on yet can still be taken."""

_SIGNATURE_BYTES = 16
_SECONDS_BYTES = 5
_ID_BYTES = 16
_HEAD_BYTES = _SIGNATURE_BYTES + 1 + _SECONDS_BYTES + _ID_BYTES
_KEY_PURPOSE = b"slotcast manage 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class CapabilityKind(StrEnum):
    """What a capability is about."""

    BOOKING = "booking"
    OFFER = "offer"
    HANDOFF = "handoff"


_KIND_BYTES = {CapabilityKind.BOOKING: 1, CapabilityKind.OFFER: 2, CapabilityKind.HANDOFF: 3}
_KINDS = {byte: kind for kind, byte in _KIND_BYTES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """What a token allows: `id` is that of a booking, a waitlist entry, or a handoff.

    After `not_after`, in whole seconds, it is over, whatever has become of the booking.
    """

    business_id: str
    kind: CapabilityKind
    id: UUID
    not_after: datetime

    @property
    def principal_id(self) -> str:
        """As whom it acts. No API key has an id with a dot."""
        return f"manage.{self.kind}.{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What a capability gives while what it names stands.

    `acting_id`: whose holds it may use; its own for a booking or a handoff, those of who joined for
    an offer. `booking_id` is what was booked by a handoff's ticket.
    """

    capability: Capability
    type_id: str
    acting_id: str
    hold_id: UUID | None = None
    booking_id: UUID | None = None


def booking_capability(business_id: str, booking_id: UUID, end: datetime) -> Capability:
    """Return what lets a customer look at, move and cancel a booking that ends at `end`."""
    return Capability(
        business_id=business_id,
        kind=CapabilityKind.BOOKING,
        id=booking_id,
        not_after=_whole(end + BOOKING_LASTS_AFTER_THE_END),
    )


def offer_capability(business_id: str, entry_id: UUID, until: datetime) -> Capability:
    """Return what lets who waits take what is offered, or leave, until a while after an instant.

    That is when an offer ends, or, of one who waits for any, the last time that would do.
    """
    return Capability(
        business_id=business_id,
        kind=CapabilityKind.OFFER,
        id=entry_id,
        not_after=_whole(until + OFFER_LASTS_AFTER_THE_END),
    )


def handoff_capability(business_id: str, handoff_id: UUID, expires_at: datetime) -> Capability:
    """Return what a ticket is: what lets whoever has it take over a hold, and book it."""
    return Capability(
        business_id=business_id,
        kind=CapabilityKind.HANDOFF,
        id=handoff_id,
        not_after=_whole(expires_at),
    )


def capability_key(secret: bytes) -> bytes:
    """Return the key that capabilities are signed with, from the secret of all tokens."""
    return hmac.digest(secret, _KEY_PURPOSE, "sha256")


def write_capability(key: bytes, capability: Capability) -> str:
    """Return a token: the same capability is always the same text."""
    seconds = (capability.not_after - _EPOCH) // _SECOND
    payload = b"".join(
        (
            bytes([_KIND_BYTES[capability.kind]]),
            seconds.to_bytes(_SECONDS_BYTES, "big"),
            capability.id.bytes,
            capability.business_id.encode(),
        )
    )
    return _prefix(capability.kind) + _to_text(_sign(key, payload) + payload)


def read_capability(key: bytes, token: str) -> Capability | None:
    """Return what a token allows; None: it is damaged, cut off, or signed by someone else."""
    prefix = TICKET_PREFIX if token.startswith(TICKET_PREFIX) else TOKEN_PREFIX
    if len(token) > TOKEN_CHARACTERS_MAX or not token.startswith(prefix):
        return None
    data = _from_text(token.removeprefix(prefix))
    if data is None or len(data) <= _HEAD_BYTES:
        return None
    signature, payload = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, payload)):
        return None
    kind = _KINDS[payload[0]]
    if prefix != _prefix(kind):
        return None
    seconds, rest = payload[1 : 1 + _SECONDS_BYTES], payload[1 + _SECONDS_BYTES :]
    return Capability(
        business_id=rest[_ID_BYTES:].decode(),
        kind=kind,
        id=UUID(bytes=rest[:_ID_BYTES]),
        not_after=_EPOCH + int.from_bytes(seconds, "big") * _SECOND,
    )


def why_booking_ended(status: str, end: datetime, now: datetime) -> str | None:
    """Return why there is nothing more to do to a booking; None: it stands."""
    if status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        return status.upper()
    return "PASSED" if end <= now else None


def why_waiting_ended(status: str) -> str | None:
    """Return why there is nothing to wait for; None: one waits, or is offered a time."""
    is_live = status in (EntryStatus.WAITING, EntryStatus.OFFERED)
    return None if is_live else status.upper()


def capability_url(public_url: str, token: str) -> str:
    """Return the address of the page that acts by a token. It follows a #: no log sees it."""
    return f"{public_url.rstrip('/')}/manage/#{token}"


def ticket_url(public_url: str, ticket: str) -> str:
    """Return the address of the page that takes a ticket; none where ours is not known."""
    return f"{public_url.rstrip('/')}/book/#{ticket}" if public_url else ""


def _prefix(kind: CapabilityKind) -> str:
    return TICKET_PREFIX if kind is CapabilityKind.HANDOFF else TOKEN_PREFIX


def _sign(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_SIGNATURE_BYTES]


def _whole(instant: datetime) -> datetime:
    """Return the next whole second."""
    return _EPOCH - (_EPOCH - instant) // _SECOND * _SECOND


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes | None:
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    # Python's decoder forgives strange characters and stray last bits; an altered token is refused.
    return data if _to_text(data) == text else None
