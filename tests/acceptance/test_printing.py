"""What commands print, whatever it is that they are to print."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.cli.printing import print_json, print_table, say

ODD = "Bad [/] [red]Name :smile: [a-z0-9] \\"
BOOKING_ID = "b1946ac9-2492-4234-8235-6bce1d2d0e11"
MESSAGE_ID = f"<{BOOKING_ID}.salon@bookings.salon.example>"
COLUMNS = ("when", "letter", "to", "booking", "state", "Message-ID, or why not")
ROW = ("27 Nov 22:37:50", "confirmation", "customer", BOOKING_ID, "sent", MESSAGE_ID)


def test_text_from_outside_is_printed_as_it_is(capsys):
    say((ODD, "green"), " and ", ODD, ".")
    print_table(("who",), [(ODD,)])

    said, _, shown = capsys.readouterr().out.splitlines()
    assert said == f"{ODD} and {ODD}."
    assert shown.strip() == ODD


def test_text_from_outside_cannot_give_orders_to_the_terminal(capsys):
    say("\x1b[2J\x1b]0;title\x07gone\r")

    assert capsys.readouterr().out == "�[2J�]0;title�gone�\n"


def test_what_is_piped_on_has_a_line_for_each_row_and_nothing_is_cut(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    print_table(COLUMNS, [ROW, ROW])

    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [" ".join(ROW).split()] * 2


@pytest.mark.parametrize("columns", [20, 80, 250])
def test_in_a_terminal_of_any_width_nothing_is_cut(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")

    print_table(COLUMNS, [ROW])

    lines = capsys.readouterr().out.splitlines()
    for cell in ROW:
        assert any(cell in line for line in lines)


def test_instants_and_durations_are_those_of_iso_8601(capsys):
    at = datetime(2030, 1, 7, 9, tzinfo=UTC)

    print_json([at, timedelta(minutes=15), timedelta(seconds=1.5), timedelta(0)])

    told = json.loads(capsys.readouterr().out)
    assert told == ["2030-01-07T09:00:00+00:00", "PT900S", "PT1.5S", "PT0S"]


@pytest.mark.parametrize(
    ("words", "thing"),
    [
        (("jobs", "retry"), "delivery"),
        (("cancel",), "booking"),
        (("waitlist", "leave"), "wish"),
        (("webhooks", "delete"), "webhook"),
        (("webhooks", "replay", "--after", "0"), "webhook"),
        (("letters", "--booking"), "booking"),
    ],
)
@pytest.mark.parametrize("typed", ["abc", f"businesses/salon/calendars/{BOOKING_ID}"])
def test_what_is_no_id_is_refused_in_a_sentence(words, thing, typed):
    result = CliRunner().invoke(app, [*words, typed], env={"TERMINAL_WIDTH": "200"})

    assert result.exit_code == 2
    assert f"{typed} is no id of a {thing}." in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("book", "cut", "2030-01-07T09:00", "--as-many-as-fit"), "--repeat"),
        (("webhooks", "create", "https://a.example", "--event", "booking.foo"), "booking.booked"),
    ],
)
def test_what_would_do_nothing_is_refused_and_what_would_is_named(words, told):
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 2
    assert told in result.output
