"""Feeds that are fetched again: what is kept, what is closed, what is moved, and how often."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from service.actions.feeds import REFRESHES_PER_BUSINESS_MAX, FeedRefresher
from service.domain.busy_feed import FeedSource, FeedState, stale_closure_id
from service.domain.change import ChangeKind
from service.domain.commands import DeleteFeed, ImportBusy
from service.domain.errors import SlotClosed, SlotTaken
from service.domain.interval import Interval
from service.ops.outbound import Outbound
from service.store import feeds
from service.store.database import Database
from service.store.feeds import FeedKey
from tests.actions.conftest import outcome
from tests.actions.submissions import a_submission, book, slot
from tests.feeds.feed_server import ics_of, serving_feed

FEED = FeedKey("demo", "anna", "google")
HOUR = timedelta(hours=1)


@pytest.fixture
async def server():
    async with serving_feed() as server:
        yield server


@pytest.fixture
async def outbound():
    async with Outbound(allow_private=True) as outbound:
        yield outbound


@pytest.fixture
def refresher(database, lanes, outbound):
    return FeedRefresher(database=database, lanes=lanes, outbound=outbound)


class Feed:
    """The feed of a calendar, and a clock that can be set on for it."""

    def __init__(self, database, lanes, books, refresher, server):
        self.database, self.lanes, self.books = database, lanes, books
        self.refresher, self.server = refresher, server

    async def begin(self, *busy, **source):
        """Import it for the first time, as ImportBusyFeed does."""
        self.server.body = ics_of(*busy)
        command = ImportBusy(
            calendar_id="anna",
            feed_id="google",
            busy=tuple(Interval(*each) for each in busy),
            source=FeedSource(url=self.server.url, next_in=timedelta(), **source),
        )
        return await outcome(self.lanes, a_submission(command))

    async def refresh(self, *busy, **server):
        """Serve other busy time, where it is given, and fetch what is due."""
        if busy:
            self.server.body = ics_of(*busy)
        for name, value in server.items():
            setattr(self.server, name, value)
        assert await self.refresher.refresh_due() == 1
        return await self.now()

    async def now(self):
        async with self.database.snapshot("demo") as tx:
            return await feeds.find(tx, *FEED)

    async def pass_time(self, **ago):
        """Let it be that long ago that the feed was last read well; it is due."""
        await self.books.run(
            "UPDATE busy_feeds SET next_at = now(), leased_until = NULL,"
            " success_at = success_at - $1::interval",
            timedelta(**ago),
        )

    async def busy(self):
        rows = await self.books.rows(
            "SELECT starts_at, ends_at FROM claims WHERE kind = 'busy' ORDER BY 1"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def feed(shop, database, lanes, books, refresher, server):
    return Feed(database, lanes, books, refresher, server)


async def test_a_feed_that_is_due_is_fetched_and_its_busy_time_moved(feed, lanes):
    await feed.begin((slot(1), slot(2)))

    state = await feed.refresh((slot(3), slot(4)))

    assert await feed.busy() == [(slot(3), slot(4))]
    assert (state.state, state.busy_intervals, state.failures) == (FeedState.OK, 1, 0)
    assert state.next_at - state.attempt_at >= timedelta(minutes=13)
    assert (await outcome(lanes, book(slot(1))))["bookings"]
    assert isinstance(await outcome(lanes, book(slot(3))), SlotTaken)


async def test_a_feed_that_is_not_due_is_left_alone(feed, refresher, server):
    await feed.begin((slot(1), slot(2)))
    await feed.refresh()

    assert await refresher.refresh_due() == 0
    assert len(server.requests) == 1


async def test_a_refresh_that_finds_the_same_makes_no_revision(feed, books):
    busy = [(slot(1), slot(2)), (slot(4), slot(4) + timedelta(days=9, hours=5))]
    await feed.begin(*busy)
    revision, before = await books.revision(), await books.rows("SELECT claim_id FROM claims")
    # Some programs write the file anew for everyone who asks.
    state = await feed.refresh(body=feed.server.body.replace(b"VERSION", b"X-A:b\r\nVERSION"))

    assert state.busy_intervals == 2
    assert await books.revision() == revision
    assert sorted(await books.rows("SELECT claim_id FROM claims")) == sorted(before)


async def test_a_refresh_moves_only_what_changed_and_its_change_says_all_of_it(feed, books):
    kept = [(slot(n), slot(n + 1)) for n in (1, 3, 5, 7)]
    await feed.begin(*kept, (slot(10), slot(11)))
    ids = {row[1]: row[0] for row in await books.rows("SELECT claim_id, starts_at FROM claims")}

    await feed.refresh(*kept, (slot(12), slot(13)))

    after = {row[1]: row[0] for row in await books.rows("SELECT claim_id, starts_at FROM claims")}
    assert {start: after[start] for start, _ in kept} == {start: ids[start] for start, _ in kept}
    change = (await books.log())[-1]
    assert change.kind is ChangeKind.BUSY_IMPORTED
    assert [(claim.start, claim.end) for claim in change.added] == [(slot(12), slot(13))]
    assert [(ref.claim_id, ref.start) for ref in change.removed] == [(ids[slot(10)], slot(10))]
    assert not change.reloads, "A replica applies it as it is."


async def test_long_busy_time_keeps_its_pieces_when_it_gets_longer(feed, books):
    start = slot(1)
    await feed.begin((start, start + timedelta(days=5)))
    before = set(await books.rows("SELECT claim_id FROM claims"))

    await feed.refresh((start - 3 * HOUR, start + timedelta(days=5, hours=3)))

    after = set(await books.rows("SELECT claim_id FROM claims"))
    assert len(before & after) >= 4
    assert len(after - before) <= 3


async def test_a_change_of_many_claims_does_not_carry_them(feed, books):
    day = slot(0)
    busy = [(day + n * HOUR, day + n * HOUR + HOUR / 2) for n in range(501)]

    await feed.begin(*busy)

    change = (await books.log())[-1]
    assert (change.added, change.reread_calendar_ids) == ((), ("anna",))
    assert change.reloads


async def test_what_a_server_says_is_unchanged_is_not_read_again(feed, books, server):
    server.headers = {"ETag": '"one"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    await feed.begin((slot(1), slot(2)))
    await feed.refresh()
    await feed.pass_time()
    revision = await books.revision()

    state = await feed.refresh(body=b"not looked at")

    asked = server.requests[-1].headers
    assert asked["If-None-Match"] == '"one"'
    assert asked["If-Modified-Since"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert (state.state, state.busy_intervals) == (FeedState.OK, 1)
    assert await books.revision() == revision


async def test_a_file_is_read_whole_once_a_day_for_what_recurs_goes_on(feed, server):
    server.headers = {"ETag": '"one"'}
    await feed.begin((slot(1), slot(2)))
    await feed.refresh()
    await feed.pass_time(days=1)

    await feed.refresh()

    assert "If-None-Match" not in server.requests[-1].headers


@pytest.mark.parametrize(
    ("server_says", "reason"),
    [
        ({"status": 500}, "it answers 500"),
        ({"status": 404}, "it answers 404"),
        ({"body": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"}, "line 2"),
        ({"body": b"<html>Log in, please</html>"}, "line 1"),
        ({"body": b"X" * 10_000_001}, "more than 10,000,000 bytes"),
        ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, "must begin with"),
    ],
)
async def test_a_feed_that_fails_keeps_its_last_state_and_says_why(
    feed, books, server_says, reason
):
    await feed.begin((slot(1), slot(2)))
    revision = await books.revision()

    state = await feed.refresh(**server_says)

    assert (state.state, state.failures) == (FeedState.FAILING, 1)
    assert reason in state.failure
    assert await feed.busy() == [(slot(1), slot(2))]
    assert await books.revision() == revision
    assert state.success_at < state.attempt_at < state.next_at


async def test_a_feed_that_goes_on_failing_is_asked_ever_less_often_but_every_hour(feed):
    await feed.begin((slot(1), slot(2)))
    waits = []
    for _ in range(9):
        state = await feed.refresh(status=500)
        waits.append((state.next_at - state.attempt_at).total_seconds())
        await feed.pass_time()

    for wait, usual in zip(waits, (60, 120, 240, 480, 960, 1920, 3600, 3600, 3600), strict=True):
        assert 0.9 * usual <= wait <= 1.1 * usual


async def test_a_feed_that_is_read_again_has_its_state_back(feed):
    await feed.begin((slot(1), slot(2)))
    await feed.refresh(status=500)
    await feed.pass_time()

    state = await feed.refresh(status=200)

    assert (state.state, state.failure, state.failures) == (FeedState.OK, "", 0)


class TestFailClosed:
    async def test_a_calendar_is_closed_once_its_feed_has_failed_for_so_long(
        self, feed, lanes, books
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(minutes=59)
        state = await feed.refresh(status=500)
        assert state.state is FeedState.FAILING
        assert state.next_at <= state.success_at + HOUR + timedelta(seconds=5)
        assert (await outcome(lanes, book(slot(5))))["bookings"]
        await feed.pass_time(minutes=2)

        state = await feed.refresh(status=500)

        assert state.state is FeedState.CLOSED
        assert isinstance(await outcome(lanes, book(slot(6))), SlotClosed)
        ((name,),) = await books.rows("SELECT display_name FROM closures")
        assert "google" in name
        assert "could not be read since" in name

    async def test_it_opens_again_with_the_commit_that_reads_the_feed(self, feed, lanes, books):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)
        await feed.pass_time()
        await feed.refresh(status=500)
        await feed.pass_time()
        revision = await books.revision()

        state = await feed.refresh((slot(3), slot(4)), status=200)

        assert state.state is FeedState.OK
        assert await books.revision() == revision + 1
        assert (await books.log())[-1].kind is ChangeKind.CATALOG_CHANGED
        assert await books.rows("SELECT * FROM closures") == []
        assert (await outcome(lanes, book(slot(6))))["bookings"]
        assert isinstance(await outcome(lanes, book(slot(3))), SlotTaken)

    async def test_it_opens_again_also_where_nothing_has_changed_meanwhile(
        self, feed, lanes, books, server
    ):
        server.headers = {"ETag": '"one"'}
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.refresh()
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)
        await feed.pass_time()

        state = await feed.refresh(status=200)

        assert state.state is FeedState.OK
        assert await books.rows("SELECT * FROM closures") == []

    async def test_a_refresher_that_died_after_it_had_closed_is_taken_over(
        self, feed, books, lanes
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)
        await books.run("UPDATE busy_feeds SET state = 'ok', next_at = now()")

        state = await feed.refresh(status=500)

        assert state.state is FeedState.CLOSED
        closure_id = stale_closure_id("anna", "google")
        assert await books.rows("SELECT closure_id FROM closures") == [(closure_id,)]

    async def test_what_is_closed_though_its_feed_does_not_say_so_opens_when_it_is_read(
        self, feed, lanes, books
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.refresh()
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)
        await books.run("UPDATE busy_feeds SET state = 'ok', next_at = now(), success_at = now()")

        state = await feed.refresh(status=200)

        assert state.state is FeedState.OK
        assert await books.rows("SELECT * FROM closures") == []
        assert (await outcome(lanes, book(slot(6))))["bookings"]

    async def test_a_calendar_is_not_closed_where_its_feed_cannot_be_said_to_be(
        self, feed, lanes, books
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        revision = await books.revision()
        await books.run("ALTER TABLE busy_feeds ADD CONSTRAINT never CHECK (state <> 'closed')")

        state = await feed.refresh(status=500)

        assert (state.state, state.failures) == (FeedState.OK, 0)
        assert await books.rows("SELECT * FROM closures") == []
        assert await books.revision() == revision
        assert (await outcome(lanes, book(slot(6))))["bookings"]

    async def test_a_feed_that_ends_while_its_fetch_fails_leaves_nothing_closed(
        self, feed, lanes, books
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)

        await fail_after(feed, lambda _: DeleteFeed(calendar_id="anna", feed_id="google"))

        assert await feed.now() is None
        assert await books.rows("SELECT * FROM closures") == []
        assert (await outcome(lanes, book(slot(6))))["bookings"]

    @pytest.mark.parametrize("elsewhere", [False, True])
    @pytest.mark.parametrize("was_closed", [False, True])
    async def test_a_feed_that_is_imported_again_while_its_fetch_fails_is_well_and_open(
        self, feed, lanes, books, elsewhere, was_closed
    ):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        if was_closed:
            await feed.refresh(status=500)
            await feed.pass_time()

        def again(url):
            url = "https://other.example/a.ics" if elsewhere else url
            source = FeedSource(url=url, fail_closed_after=HOUR, next_in=HOUR)
            return ImportBusy(calendar_id="anna", feed_id="google", busy=(), source=source)

        await fail_after(feed, again)

        state = await feed.now()
        assert (state.state, state.failures) == (FeedState.OK, 0)
        assert await books.rows("SELECT * FROM closures") == []
        assert (await outcome(lanes, book(slot(6))))["bookings"]

    async def test_who_was_overtaken_by_a_closure_does_not_call_its_feed_well(
        self, feed, database, books
    ):
        """What is unchanged is not read whole, so it would not open."""
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)

        async with database.transaction("demo") as tx:
            await feeds.note_unchanged(tx, FEED, feed.server.url, HOUR)

        assert (await feed.now()).state is FeedState.CLOSED

    async def test_the_end_of_a_feed_opens_what_it_had_closed(self, feed, lanes, books):
        await feed.begin((slot(1), slot(2)), fail_closed_after=HOUR)
        await feed.pass_time(hours=2)
        await feed.refresh(status=500)

        await outcome(lanes, a_submission(DeleteFeed(calendar_id="anna", feed_id="google")))

        assert await feed.busy() == []
        assert await feed.now() is None
        assert await books.rows("SELECT * FROM closures") == []
        assert (await outcome(lanes, book(slot(1))))["bookings"]


async def test_of_several_servers_one_fetches_a_feed(feed, database_url, lanes, outbound, server):
    await feed.begin((slot(1), slot(2)))
    databases = [Database(database_url, pool_size=2) for _ in range(4)]
    others = [FeedRefresher(database=each, lanes=lanes, outbound=outbound) for each in databases]

    counts = await asyncio.gather(*(other.refresh_due() for other in others))

    for each in databases:
        await each.close()
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(server.requests) == 1


async def test_a_feed_whose_server_died_is_fetched_by_another_after_its_lease(feed, books):
    await feed.begin((slot(1), slot(2)))
    await books.run("UPDATE busy_feeds SET leased_until = now() + interval '1 minute'")
    assert await feed.refresher.refresh_due() == 0
    await books.run("UPDATE busy_feeds SET leased_until = now() - interval '1 second'")

    assert (await feed.refresh()).state is FeedState.OK


async def test_a_business_with_many_slow_feeds_does_not_keep_others_waiting(
    feed, lanes, books, refresher
):
    await feed.begin((slot(1), slot(2)))
    for number in range(5):
        command = ImportBusy(
            calendar_id="anna",
            feed_id=f"feed-{number}",
            busy=(),
            source=FeedSource(url=feed.server.url, next_in=timedelta()),
        )
        await outcome(lanes, a_submission(command))

    assert await refresher.refresh_due() == REFRESHES_PER_BUSINESS_MAX


async def test_a_feed_that_was_removed_while_it_was_fetched_does_not_come_back(
    shop, feed, lanes, refresher
):
    delete = a_submission(DeleteFeed(calendar_id="anna", feed_id="google"))

    async def remove_and_answer(request):
        await lanes.submit(delete)
        return await feed.server(request)

    async with serving_feed(_Handler(remove_and_answer)) as slow:
        await feed.begin((slot(1), slot(2)))
        await feed.books.run("UPDATE busy_feeds SET url = $1", slow.url)
        await refresher.refresh_due()

    assert await feed.now() is None
    assert await feed.busy() == []


async def fail_after(feed, command_for):
    """Fetch the feed in vain; while it is fetched from a URL, have the command for it done."""

    async def change_and_fail(_):
        await feed.lanes.submit(a_submission(command_for(failing.url)))
        return web.Response(status=500)

    async with serving_feed(_Handler(change_and_fail)) as failing:
        await feed.books.run("UPDATE busy_feeds SET url = $1", failing.url)
        assert await feed.refresher.refresh_due() == 1


class _Handler:
    def __init__(self, answer):
        self.answer = answer
        self.url = ""

    async def __call__(self, request):
        return await self.answer(request)


async def test_a_feed_that_was_given_another_address_meanwhile_is_that_of_the_new_one(
    feed, lanes, refresher, server
):
    await feed.begin((slot(1), slot(2)))
    other = ImportBusy(
        calendar_id="anna",
        feed_id="google",
        busy=(Interval(slot(5), slot(6)),),
        source=FeedSource(url="https://other.example/a.ics", next_in=HOUR),
    )

    async def move_and_answer(request):
        await lanes.submit(a_submission(other))
        return await server(request)

    server.body = ics_of((slot(8), slot(9)))
    async with serving_feed(_Handler(move_and_answer)) as slow:
        await feed.books.run("UPDATE busy_feeds SET url = $1", slow.url)
        await refresher.refresh_due()

    assert (await feed.now()).url == "https://other.example/a.ics"
    assert await feed.busy() == [(slot(5), slot(6))]


async def test_an_uploaded_feed_is_never_due(shop, lanes, refresher, database):
    await outcome(lanes, a_submission(ImportBusy(calendar_id="anna", feed_id="file", busy=())))

    assert await refresher.refresh_due() == 0


async def test_the_loop_refreshes_what_becomes_due_until_it_is_cancelled(feed, refresher, server):
    await feed.begin((slot(1), slot(2)))
    running = asyncio.create_task(refresher.run())
    try:
        async with asyncio.timeout(20):
            await server.asked.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


async def test_busy_time_that_is_over_is_no_difference(feed, books):
    """What recurs leaves the window at one end every day: that alone moves nothing."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    over = (today - timedelta(days=3), today - timedelta(days=3) + HOUR)
    across = (today - timedelta(days=1, hours=3), today - timedelta(hours=20))
    await feed.begin((slot(1), slot(2)))
    await books.run(
        """
        INSERT INTO claims (
            business_id, calendar_id, starts_at, ends_at, claim_id, kind, owner_id)
        SELECT 'demo', 'anna', t.a, t.b, gen_random_uuid(), 'busy', 'google'
        FROM unnest($1::timestamptz[], $2::timestamptz[]) AS t (a, b)
        """,
        [over[0], across[0]],
        [over[1], across[1]],
    )
    revision = await books.revision()

    await feed.refresh(across, (slot(1), slot(2)))

    assert await books.revision() == revision
