"""The order in which a trace is played."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from loadtest.replay.person import CANCELLING_ONE_IN, cancels_later
from loadtest.replay.player import Event, Pace, events_of
from loadtest.replay.trace import Request

NOON = datetime(2030, 6, 3, 12, 0, tzinfo=UTC)


def a_request(
    line: int = 2, at: datetime = NOON, days: int = 0, person: int = 1, no_show: bool = False
) -> Request:
    return Request(
        line=line,
        requested_at=at,
        appointment_date=date(2030, 6, 3) + timedelta(days=days),
        unit="CENTRO",
        person=person,
        no_show=no_show,
    )


def a_canceller() -> int:
    return next(
        person for person in range(100) if cancels_later(a_request(person=person, no_show=True))
    )


def lines(events: list[Event]) -> list[tuple[int, bool]]:
    return [(event.request.line, event.cancels) for event in events]


def test_about_a_third_of_those_who_did_not_come_cancel_and_nobody_else():
    cancelling = sum(cancels_later(a_request(person=n, no_show=True)) for n in range(3000))

    assert abs(cancelling - 3000 / CANCELLING_ONE_IN) < 150
    assert not any(cancels_later(a_request(person=n)) for n in range(3000))


def test_one_cancels_halfway_between_the_request_and_the_day():
    canceller = a_request(days=10, person=a_canceller(), no_show=True)
    others = [a_request(line=line, at=NOON + timedelta(days=line)) for line in range(3, 9)]

    events = events_of([canceller, *others])

    # The day begins, in the town, 9.6 days after the request, and half of that is 4.8 days.
    assert lines(events)[:4] == [(2, False), (3, False), (4, False), (2, True)]


def test_nobody_cancels_sooner_than_half_an_hour_after_asking():
    canceller = a_request(person=a_canceller(), no_show=True)
    others = [a_request(line=3, at=NOON + timedelta(minutes=29))]
    others.append(a_request(line=4, at=NOON + timedelta(minutes=31)))

    assert lines(events_of([canceller, *others])) == [
        (2, False),
        (3, False),
        (2, True),
        (4, False),
    ]


def test_what_would_be_cancelled_after_the_last_request_is_cancelled_right_after_it():
    canceller = a_request(days=10, person=a_canceller(), no_show=True)

    assert lines(events_of([canceller, a_request(line=3)])) == [
        (2, False),
        (3, False),
        (2, True),
    ]


async def test_as_fast_as_it_goes_nothing_is_waited_for_and_nothing_is_late():
    pace = Pace(None)

    assert [await pace.wait_for(NOON + timedelta(days=day)) for day in range(3)] == [0, 0, 0]


async def test_a_moment_is_due_in_its_turn_and_a_late_one_says_how_late_it_is():
    pace = Pace(1e9)

    assert await pace.wait_for(NOON) >= 0
    assert await pace.wait_for(NOON + timedelta(days=1)) >= 0
