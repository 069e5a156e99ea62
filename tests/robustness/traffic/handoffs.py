"""Handoffs that are fought over, and what people are shown before they agree to a booking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from google.protobuf.duration_pb2 import Duration

from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import BUSINESS, PRICES, TYPES
from tests.robustness.traffic.ground import Drawn, Ground

PARENT = f"businesses/{BUSINESS}"
ZONES = ("UTC", "Europe/Berlin", "America/New_York")
FIELDS = (
    booking_pb.PrefilledField(
        name="email", value="eve@example.org", provenance=booking_pb.PrefilledField.PROVENANCE_SAID
    ),
    booking_pb.PrefilledField(
        name="allergies", value="nuts", provenance=booking_pb.PrefilledField.PROVENANCE_INFERRED
    ),
)
HOUR = timedelta(hours=1)


class HandoffDraw:
    """Draws the requests of one caller that make tickets, and that redeem them."""

    def __init__(
        self,
        ground: Ground,
        random: Random,
        request_id: Callable[[], str],
        holder: Callable[[], str],
    ) -> None:
        """Take chance from `random` alone."""
        self._ground = ground
        self._random = random
        self._request_id = request_id
        self._holder = holder

    def create(self, hold: str) -> Drawn:
        """Make a ticket of a hold."""
        request = booking_pb.CreateHandoffRequest(
            hold=hold,
            request_id=self._request_id(),
            fields=FIELDS[: self._random.choice((0, 1, 2))],
            conversation=self._random.choice(("", "", "chat")),
        )
        return Drawn("CreateHandoff", request)

    def create_of_known(self) -> Drawn | None:
        """Make a ticket of a hold that somebody was told of; it may have a new holder by now."""
        holds = list(self._ground.known.holds)
        return self.create(self._random.choice(holds)) if holds else None

    def redeem(self, ticket: str, holder: str = "") -> Drawn:
        """Redeem a ticket."""
        request = booking_pb.RedeemHandoffRequest(
            parent=PARENT,
            request_id=self._request_id(),
            ticket=ticket,
            holder=holder or self._holder(),
        )
        return Drawn("RedeemHandoff", request)

    def redeem_known(self) -> Drawn | None:
        """Redeem a ticket that somebody was given: mostly it is too late; or one that is none."""
        tickets = self._ground.known.tickets
        if not tickets:
            return None
        # The newest are those of which most is still to be had.
        ticket = self._random.choice(tickets[-6:] if self._random.random() < 0.7 else tickets)
        if self._random.random() < 0.08:
            ticket = ticket[:-1]
        return self.redeem(ticket)


def consent_to(
    random: Random, type_id: str, start: datetime, calendars: Sequence[str]
) -> booking_pb.Consent:
    """Return what somebody was shown: often what is so, sometimes another thing."""
    zone, rules = random.choice(ZONES), TYPES[type_id]
    consent = booking_pb.Consent(
        start=start.astimezone(ZoneInfo(zone)).isoformat(),
        time_zone=zone,
        appointment_type=type_id,
        calendar=random.choice(("", *calendars)),
        # It may have changed since it was shown.
        price=random.choice(PRICES.get(type_id, ("",))),
    )
    if random.random() < 0.5:
        consent.duration.FromTimedelta(rules.duration)
    if random.random() < 0.3:
        _show_otherwise(random, consent, start)
    return consent


def _show_otherwise(random: Random, consent: booking_pb.Consent, start: datetime) -> None:
    match random.randrange(5):
        case 0:
            zone = ZoneInfo(consent.time_zone)
            consent.start = (start + HOUR).astimezone(zone).isoformat()
        case 1:
            # The right instant, told with an offset that this zone never has.
            consent.start = start.astimezone(UTC).isoformat().replace("+00:00", "+09:00")
        case 2:
            consent.appointment_type += " of another kind"
        case 3:
            consent.price += " or so"
        case _:
            consent.duration.CopyFrom(Duration(seconds=60 * 7))
