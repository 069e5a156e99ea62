"""The digest, as the API defines it."""

from datetime import UTC, datetime
from hashlib import sha256

from service.domain.slot import Slot, SlotKey
from service.live.digest import slot_digest


def test_the_digest_of_a_slot_is_of_its_names_seconds_and_seats():
    start = datetime(2030, 6, 3, 9, 0, tzinfo=UTC)
    end = datetime(2030, 6, 3, 9, 30, tzinfo=UTC)
    text = (
        "businesses/demo/appointmentTypes/visit\n"
        "businesses/demo/calendars/anna\n"
        f"{int(start.timestamp())}\n"
        f"{int(end.timestamp())}\n"
        "2"
    )
    expected = int.from_bytes(sha256(text.encode()).digest()[:8], "big")

    assert slot_digest("demo", Slot(SlotKey(start, "visit", "anna", end), 2)) == expected
