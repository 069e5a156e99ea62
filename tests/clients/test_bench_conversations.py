"""`slotcast bench conversations`, on a server of the test's."""

from service.cli.bench_conversations import Load, measure
from service.cli.connection import Access


async def test_every_booking_of_a_slot_that_was_shown_is_told(server, operator_key):
    load = Load(count=20, shown=3, bookings_per_second=20, seconds=0.5)
    figures = await measure(Access(target=server, api_key=operator_key), load)
    assert figures.conversations == 20
    assert 10 <= figures.bookings <= figures.tellings
    assert figures.untold == 0
    assert 0 < figures.told_p50_ms <= figures.told_p99_ms <= figures.told_max_ms
