"""The facts of a letter, from the database: here names and addresses are joined in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from service.domain.booking import Booking, BookingStatus, Customer, Hold, HoldStatus
from service.domain.capability import (
    booking_capability,
    capability_url,
    offer_capability,
    write_capability,
)
from service.domain.catalog import AppointmentType, Calendar, Catalog
from service.domain.change import BookingState, OfferRef
from service.domain.delivery import Delivery
from service.domain.interval import Interval
from service.domain.waitlist import EntryStatus, WaitlistEntry
from service.notify.delivery import Busy, Skipped
from service.notify.letters.facts import (
    ENDINGS,
    Appointment,
    Host,
    Letter,
    LetterKind,
    Mailbox,
    Recipient,
)
from service.notify.letters.order import Order
from service.notify.letters.planning import Addressee, kind_of_new
from service.store import bookings as booking_store
from service.store import catalog as catalog_store
from service.store import letters as letter_store
from service.store import waitlist as waitlist_store
from service.store.database import Transaction

ALARM_BEFORE = timedelta(hours=1)
"""Of an event whose type has no reminders; else the last of them."""
_OF_NEW = frozenset({LetterKind.CONFIRMATION, LetterKind.PENDING})
_LIVE = frozenset({BookingStatus.PENDING, BookingStatus.CONFIRMED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Where customers look after their appointments; without a public address there are none."""

    public_url: str | None
    key: bytes

    def to_booking(self, business_id: str, state: BookingState) -> str:
        """Return the link of a booking, which dies with it."""
        if self.public_url is None or state.status not in _LIVE:
            return ""
        capability = booking_capability(business_id, state.booking_id, state.appointment.end)
        return capability_url(self.public_url, write_capability(self.key, capability))

    def to_entry(self, business_id: str, entry_id: UUID, until: datetime) -> str:
        """Return the link of who waits, for as long as that may matter."""
        if self.public_url is None:
            return ""
        capability = offer_capability(business_id, entry_id, until)
        return capability_url(self.public_url, write_capability(self.key, capability))


async def load(
    tx: Transaction, delivery: Delivery, order: Order, *, links: Links, now: datetime
) -> Letter | Skipped:
    """Read what a letter needs, or say why there is none any more."""
    catalog = await catalog_store.load(tx, delivery.business_id)
    if catalog is None:
        return Skipped("the business is gone")
    if order.waiting is not None or order.offer is not None:
        return await _load_of_waitlist(tx, catalog, order, links=links, now=now)
    booking_ids = [state.booking_id for state in order.states]
    found = await booking_store.by_ids(tx, delivery.business_id, booking_ids)
    by_id = {booking.booking_id: booking for booking in found}
    if any(booking_id not in by_id for booking_id in booking_ids):
        return Skipped("the booking is gone")
    booking, kind = by_id[booking_ids[0]], LetterKind(delivery.kind)
    if kind is LetterKind.REMINDER:
        left = _still_to_remind(booking, order, now)
    else:
        left = await _without_overtaken(tx, catalog, delivery, order)
    if isinstance(left, Skipped):
        return left
    order, booking = left, by_id[left.states[0].booking_id]
    kind = kind_of_new(order.states) if kind in _OF_NEW else kind
    if order.recipient is Recipient.STAFF:
        calendar = catalog.calendars.get(order.calendar_id)
        if calendar is None or not calendar.email:
            return Skipped("the calendar has no address any more")
        return _staff_letter(catalog, kind, order, booking, calendar)
    if not booking.customer.email:
        return Skipped("the customer has no address any more")
    return _customer_letter(catalog, kind, order, booking, links)


def _still_to_remind(booking: Booking, order: Order, now: datetime) -> Order | Skipped:
    """Return the order of a reminder, or why there is no use for it any more."""
    if booking.version != order.states[0].version:
        return Skipped("the booking was changed since: moved, or ended")
    if booking.appointment.start <= now:
        return Skipped("the appointment has begun")
    return order


def overtaken_by(version: int) -> Skipped:
    """Say that the reader knows more already than a letter would tell."""
    return Skipped(f"overtaken by version {version}, which was told")


async def _without_overtaken(
    tx: Transaction, catalog: Catalog, delivery: Delivery, order: Order
) -> Order | Skipped:
    """Return what is left to tell, where a letter comes after later ones; Skipped: nothing.

    In a lane it comes so only if it was dead, or could not be planned, and is sent again.
    """
    booking_ids = [state.booking_id for state in order.states]
    later = await letter_store.later(tx, delivery, booking_ids, _targets(catalog, order))
    left = tuple(state for state in order.states if state.booking_id not in later)
    if not all(each.is_sent for each in later.values()):
        raise Busy
    if not left:
        return overtaken_by(later[booking_ids[0]].version)
    return replace(order, states=left)


def _targets(catalog: Catalog, order: Order) -> list[str]:
    """Return under which names its reader's letters are listed: calendars may share an address."""
    reader = catalog.calendars.get(order.calendar_id)
    if reader is None or not reader.email:
        return [Addressee(order.calendar_id).target]
    return [
        Addressee(each.calendar_id).target
        for each in catalog.calendars.values()
        if each.email.lower() == reader.email.lower()
    ]


def _customer_letter(
    catalog: Catalog, kind: LetterKind, order: Order, booking: Booking, links: Links
) -> Letter:
    customer, type_ = booking.customer, catalog.types.get(booking.type_id)
    business_id = catalog.business.business_id
    return Letter(
        kind=kind,
        recipient=Recipient.CUSTOMER,
        # Without the name that was typed: whoever has this address may be a stranger.
        to=Mailbox(address=customer.email),
        host=_host(catalog),
        appointments=tuple(
            _appointment(catalog, state, link=links.to_booking(business_id, state))
            for state in order.states
        ),
        languages=(customer.language, catalog.business.language),
        zone=customer.time_zone,
        reason=booking.cancel_reason if kind in ENDINGS else "",
        replies_cancel=type_ is not None and type_.cancel_by_reply,
        alarm_before=_alarm_before(type_),
    )


def _staff_letter(
    catalog: Catalog, kind: LetterKind, order: Order, booking: Booking, calendar: Calendar
) -> Letter:
    ends = kind in ENDINGS and not order.moved_away
    return Letter(
        kind=kind,
        recipient=Recipient.STAFF,
        to=Mailbox(address=calendar.email, name=calendar.display_name),
        host=_host(catalog),
        appointments=tuple(_appointment(catalog, state) for state in order.states),
        languages=(catalog.business.language,),
        zone=calendar.zone,
        customer=booking.customer,
        answers=tuple((_label(name), value) for name, value in booking.fields.items()),
        reason=booking.cancel_reason if ends else "",
        moved_away=order.moved_away,
        alarm_before=_alarm_before(catalog.types.get(booking.type_id)),
    )


async def _load_of_waitlist(
    tx: Transaction, catalog: Catalog, order: Order, *, links: Links, now: datetime
) -> Letter | Skipped:
    if order.offer is not None:
        return await _load_offer(tx, catalog, order.offer, links=links, now=now)
    assert order.waiting is not None
    return await _load_waiting(tx, catalog, order.waiting, links=links)


async def _load_offer(
    tx: Transaction, catalog: Catalog, offer: OfferRef, *, links: Links, now: datetime
) -> Letter | Skipped:
    business_id = catalog.business.business_id
    entry = await waitlist_store.get(tx, business_id, offer.entry_id)
    holds = await booking_store.holds_by_ids(tx, business_id, [offer.hold_id])
    if entry is None or not holds or not _is_offered(entry, holds[0], offer):
        return Skipped("the offer is over: taken, left or passed on")
    if offer.expires_at <= now:
        return Skipped("the offer has ended")
    if not entry.customer.email:
        return Skipped("who waits has no address any more")
    return _offer_letter(catalog, entry.customer, holds[0], offer, links)


async def _load_waiting(
    tx: Transaction, catalog: Catalog, entry_id: UUID, *, links: Links
) -> Letter | Skipped:
    entry = await waitlist_store.get(tx, catalog.business.business_id, entry_id)
    if entry is None or not entry.is_live:
        return Skipped("the waiting is over")
    if entry.status is EntryStatus.OFFERED:
        return Skipped("a time is offered already, which is told by itself")
    if not entry.customer.email:
        return Skipped("who waits has no address any more")
    return _waiting_letter(catalog, entry, links)


def _waiting_letter(catalog: Catalog, entry: WaitlistEntry, links: Links) -> Letter:
    type_ = catalog.types.get(entry.type_id)
    calendar_ids = entry.calendar_ids or (type_.primary_calendar_ids if type_ else ())
    calendars = [found for each in calendar_ids if (found := catalog.calendars.get(each))]
    wish = Appointment(
        booking_id=entry.entry_id,
        version=0,
        status=None,
        title=_type_name(catalog, entry.type_id),
        calendars=_calendar_names(catalog, entry.calendar_ids),
        during=entry.windows[0],
        zone=calendars[0].zone if calendars else "UTC",
        link=links.to_entry(catalog.business.business_id, entry.entry_id, entry.last_end),
    )
    return _to_who_waits(
        LetterKind.WAITLIST_JOINED, catalog, entry.customer, wish, waits_in=entry.windows
    )


def _is_offered(entry: WaitlistEntry, hold: Hold, offer: OfferRef) -> bool:
    return (
        entry.status is EntryStatus.OFFERED
        and entry.hold_id == offer.hold_id
        and hold.status is HoldStatus.LIVE
    )


def _offer_letter(
    catalog: Catalog, customer: Customer, hold: Hold, offer: OfferRef, links: Links
) -> Letter:
    calendar = catalog.calendars.get(hold.calendar_ids[0])
    offered = Appointment(
        booking_id=hold.hold_id,
        version=0,
        status=None,
        title=_type_name(catalog, hold.type_id),
        calendars=_calendar_names(catalog, hold.calendar_ids),
        during=hold.appointment,
        zone=calendar.zone if calendar else "UTC",
        link=links.to_entry(catalog.business.business_id, offer.entry_id, offer.expires_at),
    )
    return _to_who_waits(
        LetterKind.WAITLIST_OFFER, catalog, customer, offered, offered_until=offer.expires_at
    )


def _to_who_waits(
    kind: LetterKind,
    catalog: Catalog,
    customer: Customer,
    appointment: Appointment,
    *,
    offered_until: datetime | None = None,
    waits_in: tuple[Interval, ...] = (),
) -> Letter:
    return Letter(
        kind=kind,
        recipient=Recipient.CUSTOMER,
        # Without the name that was typed: whoever has this address may be a stranger.
        to=Mailbox(address=customer.email),
        host=_host(catalog),
        appointments=(appointment,),
        languages=(customer.language, catalog.business.language),
        zone=customer.time_zone,
        offered_until=offered_until,
        waits_in=waits_in,
    )


def _appointment(catalog: Catalog, state: BookingState, *, link: str = "") -> Appointment:
    return Appointment(
        booking_id=state.booking_id,
        version=state.version,
        status=state.status,
        title=_type_name(catalog, state.type_id),
        calendars=_calendar_names(catalog, state.calendar_ids),
        during=state.appointment,
        zone=state.zone,
        earlier=state.before.appointment if state.before else None,
        link=link,
    )


def _host(catalog: Catalog) -> Host:
    business = catalog.business
    return Host(
        business_id=business.business_id,
        name=business.display_name or business.business_id,
        email=business.email,
        phone=business.phone,
        location=business.location,
    )


def _type_name(catalog: Catalog, type_id: str) -> str:
    type_ = catalog.types.get(type_id)
    return type_.display_name if type_ and type_.display_name else type_id


def _calendar_names(catalog: Catalog, calendar_ids: tuple[str, ...]) -> tuple[str, ...]:
    found = ((each, catalog.calendars.get(each)) for each in calendar_ids)
    return tuple(known.display_name if known else each for each, known in found)


def _alarm_before(type_: AppointmentType | None) -> timedelta:
    return min(type_.reminders) if type_ is not None and type_.reminders else ALARM_BEFORE


def _label(field: str) -> str:
    """Return the key of a field as one reads it: `how_did_you_hear` is `How did you hear`."""
    return field.replace("_", " ").replace(".", " ").capitalize()
