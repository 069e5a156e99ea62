"""Reading a demand trace, and moving it into the future."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta

import pytest

from loadtest.replay.trace import (
    DamagedTrace,
    Request,
    move,
    of_busiest_units,
    parse_trace,
    read_trace,
    weeks_until,
)

HEADER = "requested_at,appointment_date,unit,person,no_show\n"
ROWS = (
    "2015-11-10T07:13:56Z,2016-05-04,RESISTÊNCIA,3352,0\n",
    "2015-12-03T08:17:28Z,2016-05-02,VILA RUBIM,30720,1\n",
    "2015-12-07T10:40:59Z,2016-06-03,VILA RUBIM,59884,1\n",
)
TRACE = HEADER + "".join(ROWS)


def parsed(text: str) -> list[Request]:
    return list(parse_trace(text.splitlines(keepends=True)))


def test_a_row_says_who_asked_when_for_which_unit_and_day():
    assert parsed(TRACE)[0] == Request(
        line=2,
        requested_at=datetime(2015, 11, 10, 7, 13, 56, tzinfo=UTC),
        appointment_date=date(2016, 5, 4),
        unit="RESISTÊNCIA",
        person=3352,
        no_show=False,
    )


def test_a_packed_trace_reads_as_the_plain_one(tmp_path):
    plain, packed = tmp_path / "trace.csv", tmp_path / "trace.csv.gz"
    plain.write_text(TRACE, encoding="utf-8")
    packed.write_bytes(gzip.compress(TRACE.encode()))

    assert read_trace(packed) == read_trace(plain) == parsed(TRACE)


def test_only_the_first_rows_are_read_when_that_is_asked_for(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(TRACE + "damaged\n", encoding="utf-8")

    assert [request.line for request in read_trace(path, limit=2)] == [2, 3]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("2016-01-01T00:00:00Z,2016-05-04,CENTRO,1\n", "4 cells, not 5"),
        ("2016-01-01T00:00:00Z,2016-05-04,CENTRO,1,0,0\n", "6 cells, not 5"),
        ("2016-01-01T00:00:00,2016-05-04,CENTRO,1,0\n", "requested_at"),
        ("2016-01-01T00:00:00Z,2016-02-30,CENTRO,1,0\n", "appointment_date"),
        ("2016-01-01T00:00:00Z,2016-05-04, ,1,0\n", "no unit"),
        ("2016-01-01T00:00:00Z,2016-05-04,CENTRO,-1,0\n", "person"),
        ("2016-01-01T00:00:00Z,2016-05-04,CENTRO,1,2\n", "no_show"),
        ("2015-12-01T00:00:00Z,2016-05-04,CENTRO,1,0\n", "before the row above"),
        ('2016-01-01T00:00:00Z,2016-05-04,"CENTRO,1,0\n', "unexpected end"),
        ("\n", "0 cells"),
    ],
)
def test_a_damaged_row_says_its_line(row, what):
    with pytest.raises(DamagedTrace, match=rf"^Line 5 of the trace: .*{what}") as caught:
        parsed(TRACE + row)

    assert caught.value.line == 5


@pytest.mark.parametrize("text", ["", "unit,person\n", HEADER.upper()])
def test_other_columns_are_refused(text):
    with pytest.raises(DamagedTrace, match="Line 1 of the trace: expected the columns"):
        parsed(text)


def test_a_trace_that_was_cut_off_says_where_it_ends(tmp_path):
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(gzip.compress(TRACE.encode())[:-20])

    with pytest.raises(DamagedTrace, match="Line"):
        read_trace(path)


def test_a_trace_without_rows_has_nothing_to_play(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(HEADER, encoding="utf-8")

    with pytest.raises(DamagedTrace, match="Line 2 of the trace: no request"):
        read_trace(path)


@pytest.mark.parametrize("earliest", [date(2030, 1, day) for day in range(1, 15)])
def test_a_trace_moves_by_whole_weeks_to_the_first_that_lies_ahead(earliest):
    requests = parsed(TRACE)

    weeks = weeks_until(requests, earliest)
    first = min(request.appointment_date for request in move(requests, weeks))

    assert earliest <= first < earliest + timedelta(weeks=1)


def test_a_moved_request_keeps_its_weekday_and_how_long_before_it_was_made():
    requests = parsed(TRACE)

    for before, after in zip(requests, move(requests, 700), strict=True):
        assert after.appointment_date > before.appointment_date
        assert after.appointment_date.weekday() == before.appointment_date.weekday()
        assert after.requested_at.weekday() == before.requested_at.weekday()
        lead = datetime.combine(before.appointment_date, datetime.min.time(), UTC)
        moved_lead = datetime.combine(after.appointment_date, datetime.min.time(), UTC)
        assert moved_lead - after.requested_at == lead - before.requested_at


def test_a_trace_that_begins_on_the_day_stays_where_it_is():
    assert weeks_until(parsed(TRACE), date(2016, 5, 2)) == 0


def test_the_busiest_units_are_those_that_were_asked_for_most():
    kept = of_busiest_units(parsed(TRACE), 1)

    assert [request.line for request in kept] == [3, 4]
