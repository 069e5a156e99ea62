"""What capabilities name: where it stands now, by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.capability import (
    Capability,
    CapabilityKind,
    Grant,
    why_booking_ended,
    why_waiting_ended,
)

_GONE, _EXPIRED = "GONE", "EXPIRED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a capability gives, and why no more; None and GONE: what it names is not there."""

    grant: Grant | None
    ended: str | None


async def find_standing(tx: AsyncConnection, capability: Capability) -> Standing:
    """Return how what a capability names stands."""
    if capability.kind is CapabilityKind.BOOKING:
        return await _booking(tx, capability)
    if capability.kind is CapabilityKind.HANDOFF:
        return await _handoff(tx, capability)
    return await _offer(tx, capability)


async def _booking(tx: AsyncConnection, capability: Capability) -> Standing:
    result = await tx.exec_driver_sql(
        """
        SELECT type_id, status, ends_at, transaction_timestamp() AS now
        FROM bookings WHERE business_id = $1 AND booking_id = $2
        """,
        (capability.business_id, capability.id),
    )
    row = result.one_or_none()
    if row is None:
        return Standing(grant=None, ended=_GONE)
    ended = why_booking_ended(row.status, row.ends_at, row.now)
    if ended is None and capability.not_after <= row.now:
        ended = _EXPIRED
    grant = Grant(capability=capability, type_id=row.type_id, acting_id=capability.principal_id)
    return Standing(grant=grant, ended=ended)


async def _handoff(tx: AsyncConnection, capability: Capability) -> Standing:
    """Return what a ticket gives: until it expires it reads, whatever has become of its hold."""
    result = await tx.exec_driver_sql(
        """
        SELECT type_id, hold_id, booking_id, transaction_timestamp() AS now
        FROM handoffs WHERE business_id = $1 AND handoff_id = $2
        """,
        (capability.business_id, capability.id),
    )
    row = result.one_or_none()
    if row is None:
        return Standing(grant=None, ended=_GONE)
    grant = Grant(
        capability=capability,
        type_id=row.type_id,
        acting_id=capability.principal_id,
        hold_id=row.hold_id,
        booking_id=row.booking_id,
    )
    return Standing(grant=grant, ended=_EXPIRED if capability.not_after <= row.now else None)


async def _offer(tx: AsyncConnection, capability: Capability) -> Standing:
    result = await tx.exec_driver_sql(
        """
        SELECT type_id, status, principal_id, hold_id, transaction_timestamp() AS now
        FROM waitlist WHERE business_id = $1 AND entry_id = $2
        """,
        (capability.business_id, capability.id),
    )
    row = result.one_or_none()
    if row is None:
        return Standing(grant=None, ended=_GONE)
    ended = why_waiting_ended(row.status)
    if ended is None and capability.not_after <= row.now:
        ended = _EXPIRED
    grant = Grant(
        capability=capability,
        type_id=row.type_id,
        acting_id=row.principal_id,
        hold_id=row.hold_id,
    )
    return Standing(grant=grant, ended=ended)
