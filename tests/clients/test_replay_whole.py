"""A small trace, played against a real server."""

from datetime import UTC, datetime, timedelta

import pytest

from loadtest.replay import ReplayOptions, run_replay
from loadtest.replay.town import MORNING
from slotcast import BookingQuery

BEGAN = datetime(2016, 4, 29, 9, 0, tzinfo=UTC)
CROWD = MORNING.slots * 2


@pytest.fixture
def trace(tmp_path):
    """A unit that is asked for more visits on one day than the morning has, and a quiet one."""
    rows = [
        f"{BEGAN + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ},{day},{unit},{number},{number % 2}"
        for number, (day, unit) in enumerate(
            [("2016-05-02", "MARUÍPE")] * CROWD
            + [(f"2016-05-{day:02}", "MARUÍPE") for day in (3, 4, 5, 6, 9, 10, 11, 12, 13)]
            + [("2016-05-03", "SÃO JOSÉ")] * 5
        )
    ]
    path = tmp_path / "trace.csv"
    header = "requested_at,appointment_date,unit,person,no_show"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


async def test_a_crowded_trace_is_played_whole_and_every_promise_is_kept(
    server, connect, operator_key, trace
):
    options = ReplayOptions(
        file=trace, target=server, api_key=operator_key, watchers=2, connections=2
    )

    report = await run_replay(options)

    assert report.kept, report.checked.breaches + report.watched.differences
    outcomes = report.outcomes
    assert outcomes.failed == outcomes.unknown == 0
    assert outcomes.booked + outcomes.full + outcomes.outrun == CROWD + 14
    assert outcomes.booked >= MORNING.slots
    assert 0 < outcomes.cancelled < outcomes.booked
    assert report.checked.bookings == outcomes.booked
    assert report.checked.live_bookings == outcomes.booked - outcomes.cancelled
    assert report.watched.freshness is not None
    assert report.watched.stale == 0
    client = await connect(server)
    assert (await client.list_businesses()).items == ()


async def test_a_business_that_is_kept_has_the_bookings_and_no_name_of_anyone(
    server, connect, operator_key, trace
):
    options = ReplayOptions(
        file=trace, target=server, api_key=operator_key, limit=3, watchers=0, keep=True
    )

    report = await run_replay(options)

    client = await connect(server)
    (business,) = await client.list_businesses()
    client = client.for_business(business.name)
    start = datetime.fromisoformat(f"{report.played.first_date}T00:00Z")
    page = await client.list_bookings(BookingQuery(start=start, end=start + timedelta(days=7)))
    named = {booking.customer.display_name for booking in page if booking.customer}
    assert named == {"Person 0", "Person 1", "Person 2"}
