"""What programs have exported, through ImportBusyFeed, against what a person reads in it."""

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


# What a person reads in the calendars that programs have exported: in UTC, of one year, for a
# calendar of one zone.
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


class TestRealCalendars:
    """What programs have exported, against what a person reads in it."""

    @pytest.fixture
    def real_calendars(self):
        if not REAL_CALENDARS.is_dir():
            pytest.skip(f"the calendars that programs exported are not at {REAL_CALENDARS}")
        return REAL_CALENDARS

    @pytest.fixture
    def import_year(self, monkeypatch):
        """Let imports read a year that is over, for the files are of such."""

        def let(year, zone):
            first, last = (datetime(y, 1, 1, tzinfo=ZoneInfo(zone)) for y in (year, year + 1))
            window = Interval(first.astimezone(UTC), last.astimezone(UTC))
            for module in (reading, busy_feeds):
                monkeypatch.setattr(module, "import_window", lambda _: window)

        return let

    @staticmethod
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

    @pytest.mark.parametrize("way", ["upload", "address"])
    @pytest.mark.parametrize("real", REAL_BUSY_TIME)
    async def test_every_real_calendar_gives_the_busy_time_that_a_person_reads_in_it(
        self, shop, server, real_calendars, import_year, real, way
    ):
        name, zone, year = real
        data = (real_calendars / name).read_bytes()
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

        source = {"ics": data} if way == "upload" else {"url": server.url}
        imported = await shop.import_feed(**source)

        expected = REAL_BUSY_TIME[real]
        assert await self.busy(shop) == expected
        assert imported.busy_intervals == len(expected)
        assert imported.feed.busy_intervals == len(expected)

    def test_no_real_calendar_is_left_out(self, real_calendars):
        assert {name for name, _, _ in REAL_BUSY_TIME} == {
            path.name for path in real_calendars.iterdir()
        }
