"""Zones by their names, and zones that a file defines."""

import pytest

from tests.feeds.ics_text import busy, calendar, defined_zone, event, refusal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Pacific Standard Time", "2026-01-05 17:00 - 18:00"),
        ('"W. Europe Standard Time"', "2026-01-05 08:00 - 09:00"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "2026-01-05 08:00 - 09:00"),
        ("America/Argentina/Buenos_Aires", "2026-01-05 12:00 - 13:00"),
        ("UTC", "2026-01-05 09:00 - 10:00"),
    ],
)
def test_a_zone_may_have_its_iana_or_its_windows_name(name: str, expected: str) -> None:
    text = calendar(event(f"DTSTART;TZID={name}:20260105T090000", "DURATION:PT1H"))
    assert busy(text) == [expected]


@pytest.mark.parametrize("name", ["Pacific Standard Time", "Customized Time Zone", "/x/Our Zone"])
def test_a_zone_that_the_file_defines_is_what_the_file_says(name: str) -> None:
    text = calendar(
        event(f"DTSTART;TZID={name}:20260105T090000", "DURATION:PT1H"),
        event(f"DTSTART;TZID={name}:20260705T090000", "DURATION:PT1H"),
        defined_zone(name),
    )
    assert busy(text) == ["2026-01-05 06:30 - 07:30", "2026-07-05 05:30 - 06:30"]


def test_wall_times_at_a_change_of_a_defined_zone_are_read_as_everywhere() -> None:
    text = calendar(
        defined_zone("Ours"),
        event("DTSTART;TZID=Ours:20260329T023000", "DURATION:PT30M"),  # skipped
        event("DTSTART;TZID=Ours:20261025T023000", "DURATION:PT30M"),  # occurs twice
    )
    assert busy(text) == ["2026-03-29 00:00 - 00:30", "2026-10-24 23:00 - 23:30"]


def test_a_name_with_a_comma_is_the_same_in_definition_and_use() -> None:
    text = calendar(
        defined_zone(r"Dublin\, Edinburgh"),
        event('DTSTART;TZID="Dublin, Edinburgh":20260105T090000', "DURATION:PT1H"),
    )
    assert busy(text) == ["2026-01-05 06:30 - 07:30"]


def test_a_zone_of_one_file_is_unknown_to_the_next() -> None:
    uses = event("DTSTART;TZID=Ours:20260105T090000", "DURATION:PT1H")
    assert busy(calendar(defined_zone("Ours"), uses)) != []
    assert refusal(calendar(uses)).line == 4


def test_an_area_and_city_is_the_known_zone_though_the_file_defines_it_too() -> None:
    text = calendar(
        defined_zone("Europe/Berlin"),
        event("DTSTART;TZID=Europe/Berlin:20260105T090000", "DURATION:PT1H"),
    )
    assert busy(text) == ["2026-01-05 08:00 - 09:00"]


def test_a_defined_zone_without_rules_holds_before_and_after_its_changes() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:20260601T000000\r\n"
        "RDATE:20260901T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\n"
        "END:VTIMEZONE"
    )
    for month, expected in (("01", "08:00"), ("07", "07:00"), ("10", "07:00")):
        text = calendar(
            zone, event(f"DTSTART;TZID=Ours:2026{month}05T090000", "DTEND:20261231T000000Z")
        )
        assert busy(text) == [f"2026-{month}-05 {expected} - 2026-12-31 00:00"]
