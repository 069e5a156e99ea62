"""What programs export, through ImportBusyFeed, against what a person reads in it.

The files in `exported` are made by hand, each with what the exports of one program are known for;
what programs did export is read as well, where it is at hand.
"""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.actions import busy_feeds
from service.domain.interval import Interval
from service.feeds import reading
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.feeds.feed_server import serving_feed
from tests.rpc.feeding import a_feed_shop
from tests.rpc.stack import a_request_id

HAND_MADE = Path(__file__).parent / "exported"
REAL_CALENDARS = Path(__file__).parents[2].parent / "shared" / "data" / "ics"


@pytest.fixture
async def shop(database_url, tmp_path):
    """On a server that may fetch from this machine."""
    async with a_feed_shop(database_url, tmp_path, outbound_private=True) as shop:
        yield shop


@pytest.fixture
async def server():
    async with serving_feed() as server:
        yield server


WINDOWS_CALENDAR = ("windows-calendar.ics", "Europe/Berlin", 2026)
# What a person reads in the calendars: in UTC, of one year, for a calendar of one zone.
HAND_MADE_BUSY_TIME = {
    # 01:00 in Seoul, which has a name of its own here, from 3 to 6 March; what comes weekly falls
    # on the first of these and once more.
    WINDOWS_CALENDAR: [f"03-{day:02} 16:00 - 03-{day:02} 17:00" for day in (2, 3, 4, 5, 9)],
    # 05:30 in Vienna, for an hour and a half, every day from 22 December on.
    ("google-every-day.ics", "UTC", 2026): [
        f"12-{day:02} 04:30 - 12-{day:02} 06:00" for day in range(22, 32)
    ],
    # Its alarms are none of its times.
    ("google-alarms.ics", "UTC", 2026): ["07-14 09:30 - 07-14 10:15"],
    # A day that is shown as free.
    ("outlook-2007-free-day.ics", "Europe/London", 2026): [],
    # 14:30 in Chicago, which a zone of Windows names, in summer; and 09:00 in winter.
    ("outlook-2010-windows-zone.ics", "UTC", 2026): [
        "07-13 19:30 - 07-13 20:15",
        "12-14 15:00 - 12-14 16:00",
    ],
    # Days in Los Angeles, with an end, with a duration, from a day that the rule does not name. Two
    # are neighbours; three come every four years, and clocks go back on the first; there is no
    # 29 February.
    ("apple-holidays.ics", "America/Los_Angeles", 2026): [
        *("01-06 08:00 - 01-07 08:00", "01-19 08:00 - 01-20 08:00", "03-02 08:00 - 03-03 08:00"),
        *("04-05 07:00 - 04-06 07:00", "05-31 07:00 - 06-02 07:00", "11-01 07:00 - 11-04 08:00"),
    ],
}
REAL_BUSY_TIME = {
    # 02:00 in Tokyo, from 4 to 11 December; the weekly events fall on the first and the last.
    ("Bug2912657.ics", "Europe/Berlin", 2009): [
        f"12-{day:02} 17:00 - 12-{day:02} 17:30" for day in range(3, 11)
    ],
    # 07:00 in Berlin, every day from 11 December on.
    ("Google1.ics", "UTC", 2006): [
        f"12-{day:02} 06:00 - 12-{day:02} 07:00" for day in range(11, 32)
    ],
    # A day that is shown as free.
    ("Outlook2007LineFolds.ics", "Europe/London", 2009): [],
    ("google_with_alarm.ics", "UTC", 2024): ["10-04 18:15 - 10-04 19:00"],
    # Noon in New York, which a zone of Windows names; it is summer there.
    ("outlook-2010.ics", "UTC", 2013): ["06-10 16:00 - 06-10 17:00"],
    # Days in Los Angeles. Flag Day and Father's Day are neighbours; Election Day has lost its
    # BYDAY in the export, so it says seven days; clocks go back on the first of these.
    ("USHolidays.ics", "America/Los_Angeles", 2008): [
        *(
            f"{month:02}-{day:02} {hour:02}:00 - {next_month:02}-{next_day:02} {hour:02}:00"
            for month, day, next_month, next_day, hour in (
                *((1, 1, 1, 2, 8), (1, 21, 1, 22, 8), (2, 2, 2, 3, 8), (2, 12, 2, 13, 8)),
                *((2, 14, 2, 15, 8), (2, 18, 2, 19, 8), (2, 22, 2, 23, 8), (3, 17, 3, 18, 7)),
                *((3, 23, 3, 24, 7), (4, 1, 4, 2, 7), (4, 6, 4, 7, 7), (4, 15, 4, 16, 7)),
                *((4, 22, 4, 23, 7), (5, 5, 5, 6, 7), (5, 11, 5, 12, 7), (5, 26, 5, 27, 7)),
                *((5, 29, 5, 30, 7), (6, 14, 6, 16, 7), (7, 4, 7, 5, 7), (9, 1, 9, 2, 7)),
                *((10, 13, 10, 14, 7), (10, 26, 10, 27, 7), (10, 31, 11, 1, 7)),
            )
        ),
        "11-02 07:00 - 11-09 08:00",
        *(
            "11-11 08:00 - 11-12 08:00",
            "11-27 08:00 - 11-28 08:00",
            "12-25 08:00 - 12-26 08:00",
        ),
    ],
}


def as_exported(name):
    """Return a file of those made by hand in the bytes that its program writes."""
    text = (HAND_MADE / name).read_text().replace("\n", "\r\n")
    return text.encode("utf-16" if name == "windows-calendar.ics" else "utf-8")


@pytest.fixture
def import_year(monkeypatch):
    """Let imports read a certain year, also one that is over."""

    def let(year, zone):
        first, last = (datetime(y, 1, 1, tzinfo=ZoneInfo(zone)) for y in (year, year + 1))
        window = Interval(first.astimezone(UTC), last.astimezone(UTC))
        for module in (reading, busy_feeds):
            monkeypatch.setattr(module, "import_window", lambda _: window)

    return let


@pytest.fixture
def check_import(shop, server, import_year):
    """Import a file, and compare the busy time that it gives."""

    async def check(data, zone, year, expected, way):
        calendar = catalog_pb.Calendar(
            name=shop.anna,
            display_name="Anna",
            time_zone=zone,
            schedule=shop.name("schedules", "always"),
        )
        update = catalog_pb.UpdateCalendarRequest(calendar=calendar, request_id=a_request_id())
        await shop.call(shop.catalog.UpdateCalendar, update)
        import_year(year, zone)
        server.body = data

        imported = await shop.import_feed(
            **({"ics": data} if way == "upload" else {"url": server.url})
        )

        assert await busy(shop) == expected
        assert imported.busy_intervals == len(expected)
        assert imported.feed.busy_intervals == len(expected)

    return check


async def busy(shop):
    """Return the busy time on the calendar; what touches is one."""
    async with shop.stack.database.snapshot("demo") as tx:
        rows = await tx.exec_driver_sql(
            "SELECT starts_at, ends_at FROM claims WHERE kind = 'busy' ORDER BY 1"
        )
        merged = []
        for start, end in rows:
            touches = merged and merged[-1][1] == start
            merged.append((merged.pop()[0] if touches else start, end))
    return [f"{start:%m-%d %H:%M} - {end:%m-%d %H:%M}" for start, end in merged]


@pytest.mark.parametrize(
    ("made", "way"),
    [*((made, "upload") for made in HAND_MADE_BUSY_TIME), (WINDOWS_CALENDAR, "address")],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
async def test_what_a_program_is_known_to_export_gives_the_busy_time_that_a_person_reads_in_it(
    check_import, made, way
):
    name, zone, year = made

    await check_import(as_exported(name), zone, year, HAND_MADE_BUSY_TIME[made], way)


def test_no_calendar_made_by_hand_is_left_out():
    assert {name for name, _, _ in HAND_MADE_BUSY_TIME} == {
        path.name for path in HAND_MADE.iterdir()
    }


@pytest.fixture
def real_calendars():
    if not REAL_CALENDARS.is_dir():
        pytest.skip(f"the calendars that programs exported are not at {REAL_CALENDARS}")
    return REAL_CALENDARS


@pytest.mark.parametrize("way", ["upload", "address"])
@pytest.mark.parametrize("real", REAL_BUSY_TIME, ids=lambda real: real[0])
async def test_every_real_calendar_gives_the_busy_time_that_a_person_reads_in_it(
    real_calendars, check_import, real, way
):
    name, zone, year = real
    data = (real_calendars / name).read_bytes()

    await check_import(data, zone, year, REAL_BUSY_TIME[real], way)


def test_no_real_calendar_is_left_out(real_calendars):
    assert {name for name, _, _ in REAL_BUSY_TIME} == {
        path.name for path in real_calendars.iterdir()
    }
