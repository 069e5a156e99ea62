"""The business that a trace is played at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from loadtest.replay.town import ALL_DAY, MORNING, Unit, plan_town, unique_slugs
from loadtest.replay.trace import Request

MONDAY = date(2030, 6, 3)


def requests_of(unit: str, per_day: list[int]) -> list[Request]:
    return [
        Request(
            line=2,
            requested_at=datetime(2030, 1, 1, tzinfo=UTC),
            appointment_date=MONDAY + timedelta(weeks=week),
            unit=unit,
            person=1,
            no_show=False,
        )
        for week, count in enumerate(per_day)
        for _ in range(count)
    ]


def planned(per_day: list[int]) -> Unit:
    return plan_town(requests_of("CENTRO", per_day), "replay").units["CENTRO"]


def test_a_slug_has_no_accents_and_only_what_an_id_may_have():
    names = ["JOANA D\N{ACUTE ACCENT}ARC", "RESISTÊNCIA", "São José  ", "ENSEADA DO SUÁ"]

    assert list(unique_slugs(names).values()) == [
        "joana-d-arc",
        "resistencia",
        "sao-jose",
        "enseada-do-sua",
    ]


def test_names_that_look_the_same_without_accents_get_slugs_of_their_own():
    slugs = unique_slugs(["SUÁ", "SUA", "SUÂ", "SUA-2", "?", "!"])

    assert list(slugs.values()) == ["sua", "sua-2", "sua-3", "sua-2-2", "unit", "unit-2"]


def test_a_long_name_still_gets_a_slug_of_its_own_that_an_id_may_be():
    slugs = list(unique_slugs(["A" * 60, "A" * 61]).values())

    assert slugs == ["a" * 40, "a" * 38 + "-2"]


def test_a_small_unit_is_open_in_the_morning_and_a_large_one_all_day():
    assert planned([MORNING.slots]).opening is MORNING
    assert planned([MORNING.slots + 1]).opening is ALL_DAY


def test_a_unit_can_serve_nine_days_out_of_ten_in_full_and_not_the_tenth():
    unit = planned([70] * 9 + [1000])

    assert unit.opening.slots * unit.capacity >= 70
    assert unit.opening.slots * (unit.capacity - 1) < 70


def test_a_unit_is_open_on_the_weekdays_for_which_someone_asks():
    town = plan_town(requests_of("CENTRO", [1, 1]), "replay")
    unit = town.units["CENTRO"]

    starts = list(town.starts(unit, MONDAY, MONDAY + timedelta(days=6)))

    assert len(starts) == MORNING.slots
    assert starts[0] == datetime(2030, 6, 3, 10, 0, tzinfo=UTC)
    assert starts[-1] == datetime(2030, 6, 3, 14, 45, tzinfo=UTC)


def test_the_busiest_units_come_first():
    town = plan_town(requests_of("B", [1]) + requests_of("A", [1]) + requests_of("C", [2]), "r")

    assert [unit.slug for unit in town.busiest(2)] == ["c", "a"]
