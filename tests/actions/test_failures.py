"""What the database does to a batch: every answer stays true, and nobody is left waiting."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import event

from service.actions import lanes as lanes_module
from service.domain.errors import SlotTaken, TryAgain
from service.store import batch, business_lock, claims
from service.store.business_lock import serialized
from service.store.database import Database
from tests.actions.conftest import answers, outcome, outcomes
from tests.actions.submissions import book, slot

SMUGGLED = """
    INSERT INTO claims (business_id, claim_id, calendar_id, kind, owner_id, starts_at, ends_at)
    VALUES ('demo', gen_random_uuid(), 'anna', 'booking', 'smuggler', $1,
        $1::timestamptz + interval '30 minutes')
"""


@pytest.fixture
async def rival(database_url):
    """A connection that is none of the service's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def before_write(monkeypatch):
    """Do something, once, between a batch's decisions and what it writes."""
    write = batch.write

    def arrange(deed, *, after=False):
        deeds = [deed]

        async def interrupted(tx, business_id, rows):
            if after:
                await write(tx, business_id, rows)
            if deeds:
                await deeds.pop()(tx)
            if not after:
                await write(tx, business_id, rows)

        monkeypatch.setattr(batch, "write", interrupted)

    return arrange


async def pid_of(tx):
    return (await tx.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()


async def until(condition):
    async with asyncio.timeout(60):
        while not await condition():
            pass


def waiting_for_a_lock(rival):
    async def is_waiting():
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return await rival.fetchval(query) > 0

    return is_waiting


async def assert_nothing_is_left_behind(books, rival):
    """No lock, and no transaction that somebody has forgotten."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'slotcast' AND state LIKE 'idle in transaction%'"
    )

    async def is_clean():
        return await books.locks() == [] and await rival.fetchval(query) == 0

    await until(is_clean)


async def test_a_serialization_failure_is_tried_again(lanes, shop, books, rival, before_write):
    async def conflict(tx):
        await rival.execute("UPDATE businesses SET display_name = 'Another'")

    before_write(conflict)

    results = await outcomes(lanes, [book(slot(number)) for number in range(10)])

    assert len(answers(results)) == 10
    assert await books.revision() == 14


async def test_a_serialization_failure_that_shows_at_commit_is_tried_again(
    lanes, shop, books, database_url, before_write, caplog
):
    """Another transaction reads what the batch has written, and writes what it has read."""
    other = Database(database_url, pool_size=1, role=None)

    async def close_the_circle(tx):
        async with other.serializable.begin() as rival_tx:
            await rival_tx.exec_driver_sql("SELECT revision FROM businesses")
            await rival_tx.exec_driver_sql(
                "INSERT INTO requests VALUES ('demo', 'somebody', 'else', '', '', now())"
            )

    before_write(close_the_circle, after=True)
    caplog.set_level("INFO", "service.actions.lanes")

    answer = await outcome(lanes, book(slot(1)))
    await other.close()

    assert answer["revision"] == 5
    assert [record.message for record in caplog.records] == ["attempt 1 of a batch failed: 40001"]
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


@pytest.mark.parametrize("after", [False, True])
async def test_a_batch_whose_connection_dies_is_tried_again(
    lanes, shop, books, rival, before_write, after
):
    async def kill(tx):
        await rival.execute("SELECT pg_terminate_backend($1, 5000)", await pid_of(tx))

    before_write(kill, after=after)

    results = await outcomes(lanes, [book(slot(number)) for number in range(10)])

    assert len(answers(results)) == 10
    assert await books.rows("SELECT count(*) FROM bookings") == [(10,)]
    assert await books.revision() == 14
    await assert_nothing_is_left_behind(books, rival)


async def test_a_connection_that_dies_after_the_commit_changes_no_answer(
    lanes, shop, books, rival, commits, monkeypatch
):
    give_back = business_lock._BusinessLock.give_back

    async def die(lock):
        await rival.execute(
            "SELECT pg_terminate_backend($1, 5000)", lock._connection.get_server_pid()
        )
        await give_back(lock)

    commits.clear()
    monkeypatch.setattr(business_lock._BusinessLock, "give_back", die)
    first = await outcome(lanes, book(slot(1)))
    monkeypatch.undo()

    assert first["revision"] == 5
    assert [[change.revision for change in changes] for _, _, changes, _ in commits] == [[5]]
    assert (await outcome(lanes, book(slot(2))))["revision"] == 6


async def test_a_commit_of_which_no_answer_came_is_found_again(lanes, shop, books, monkeypatch):
    failures = [ConnectionResetError]

    @asynccontextmanager
    async def deaf(database, business_id):
        async with serialized(database, business_id) as tx:
            yield tx
        if failures:
            raise failures.pop()

    monkeypatch.setattr(lanes_module, "serialized", deaf)
    submission = book(slot(1))

    answer = await lanes.submit(submission)

    assert await books.rows(
        "SELECT response FROM requests WHERE request_id = $1", submission.request_id
    ) == [(answer,)]
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


async def test_when_attempts_are_exhausted_nothing_is_known_and_the_request_can_be_repeated(
    make_lanes, shop, books, monkeypatch
):
    """B6: never "taken", for that is not known."""
    lanes = make_lanes(attempts_max=2)

    @asynccontextmanager
    async def broken(database, business_id):
        raise ConnectionRefusedError
        yield

    monkeypatch.setattr(lanes_module, "serialized", broken)
    submission = book(slot(1))
    refused = await outcomes(lanes, [submission, book(slot(2))])
    monkeypatch.undo()

    assert [type(refusal) for refusal in refused] == [TryAgain, TryAgain]
    assert refused[0] is not refused[1]
    assert (await outcome(lanes, submission))["revision"] == 5


async def test_no_attempt_begins_after_the_time_for_a_batch(make_lanes, shop, monkeypatch):
    lanes = make_lanes(batch_seconds_max=0.0)
    attempts = []

    @asynccontextmanager
    async def broken(database, business_id):
        attempts.append(business_id)
        raise ConnectionRefusedError
        yield

    monkeypatch.setattr(lanes_module, "serialized", broken)

    assert isinstance(await outcome(lanes, book(slot(1))), TryAgain)
    assert attempts == ["demo"]


async def test_a_batch_that_failed_is_not_run_one_by_one_for_ever(make_lanes, shop, monkeypatch):
    lanes = make_lanes(batch_seconds_max=-1.0)
    attempts = []

    @asynccontextmanager
    async def broken(database, business_id):
        attempts.append(business_id)
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(lanes_module, "serialized", broken)
    refused = await outcomes(lanes, [book(slot(number)) for number in range(5)])

    assert {type(refusal) for refusal in refused} == {TryAgain}
    assert attempts == ["demo"]


async def test_backends_that_are_killed_all_the_time_lose_no_answer(make_lanes, shop, books, rival):
    processes = [make_lanes(batch_max=5, attempts_max=3) for _ in range(2)]
    submissions = [book(slot(number)) for number in range(60)]
    known: dict[str, bytes] = {}

    async def insist(number, submission):
        while submission.request_id not in known:
            try:
                known[submission.request_id] = await processes[number % 2].submit(submission)
            except TryAgain:
                await asyncio.sleep(0)

    async def kill():
        await rival.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'slotcast'"
        )

    callers = [asyncio.create_task(insist(*each)) for each in enumerate(submissions)]
    for part in range(1, 6):
        async with asyncio.timeout(60):
            while len(known) < 8 * part:
                await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED)
                callers = [caller for caller in callers if not caller.done()]
        await kill()
    await asyncio.gather(*callers)

    assert (
        dict(
            await rival.fetch(
                "SELECT request_id, response FROM requests WHERE response LIKE '%start%'"
            )
        )
        == known
    )
    assert await rival.fetchval("SELECT count(*) FROM bookings") == 60
    assert await rival.fetchval("SELECT revision FROM businesses") == 64
    assert await rival.fetchval("SELECT count(*) FROM changes") == 64


class TestSecondWall:
    async def test_a_claim_that_the_decision_could_not_see_is_not_overlapped(
        self, lanes, shop, books, rival, before_write
    ):
        async def smuggle(tx):
            await rival.execute(SMUGGLED, slot(1))

        before_write(smuggle)

        refused, other = await outcomes(lanes, [book(slot(1)), book(slot(2))])

        assert isinstance(refused, SlotTaken)
        assert other["bookings"]
        assert await books.rows("SELECT owner_id FROM claims WHERE starts_at = $1", slot(1)) == [
            ("smuggler",)
        ]

    async def test_even_blind_decisions_sell_nothing_twice(
        self, lanes, shop, books, rival, monkeypatch
    ):
        """The guilty one is told that nothing is known; the others of its batch are answered."""
        await rival.execute(SMUGGLED, slot(1))

        async def see_nothing(*_):
            return []

        monkeypatch.setattr(claims, "in_windows", see_nothing)
        await outcome(lanes, book(slot(0)))

        results = await outcomes(lanes, [book(slot(number)) for number in (1, 2, 3)])

        assert isinstance(results[0], TryAgain)
        assert len(answers(results)) == 2
        assert await books.rows("SELECT count(*) FROM claims WHERE starts_at = $1", slot(1)) == [
            (1,)
        ]


class TestLock:
    async def test_a_batch_waits_for_the_process_that_has_the_business(
        self, lanes, shop, books, rival, database
    ):
        async with serialized(database, "demo"):
            waiting = asyncio.create_task(outcome(lanes, book(slot(1))))
            await until(waiting_for_a_lock(rival))

        assert (await waiting)["revision"] == 5
        await assert_nothing_is_left_behind(books, rival)

    async def test_the_transaction_begins_when_the_lock_is_there(self, shop, books, database):
        """Else it would not see what it has waited for."""
        async with serialized(database, "demo") as tx:
            row = (
                await tx.exec_driver_sql(
                    "SELECT current_setting('transaction_isolation'), count(*) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                )
            ).one()

        assert tuple(row) == ("serializable", 1)
        assert await books.locks() == []

    async def test_a_lock_is_given_back_whatever_the_transaction_came_to(
        self, shop, books, database
    ):
        with pytest.raises(ZeroDivisionError):
            async with serialized(database, "demo"):
                raise ZeroDivisionError

        assert await books.locks() == []

    async def test_who_is_cancelled_while_waiting_takes_no_lock_along(
        self, shop, books, rival, database, database_url
    ):
        other = Database(database_url, pool_size=1)

        async def use():
            async with serialized(other, "demo"):
                pass

        async with serialized(database, "demo"):
            waiting = asyncio.create_task(use())
            await until(waiting_for_a_lock(rival))
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await assert_nothing_is_left_behind(books, rival)
        await use()
        await other.close()

    async def test_a_waiting_connection_that_is_killed_is_tried_again(
        self, lanes, shop, books, rival, database
    ):
        async with serialized(database, "demo"):
            waiting = asyncio.create_task(outcome(lanes, book(slot(1))))
            await until(waiting_for_a_lock(rival))
            await rival.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE NOT granted"
            )

        assert (await waiting)["revision"] == 5

    async def test_an_attempt_that_takes_too_long_is_broken_off_and_tried_again(
        self, make_lanes, shop, books, rival
    ):
        lanes = make_lanes(attempt_seconds_max=0.5, attempts_max=100)
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute("UPDATE businesses SET display_name = 'Locked'")
        waiting = asyncio.create_task(outcome(lanes, book(slot(1))))
        await until(waiting_for_a_lock(rival))
        pid = await rival.fetchval("SELECT pid FROM pg_locks WHERE NOT granted LIMIT 1")

        async def is_gone():
            return not await rival.fetchval("SELECT count(*) FROM pg_locks WHERE pid = $1", pid)

        await until(is_gone)
        await transaction.rollback()

        assert (await waiting)["revision"] == 5
        await assert_nothing_is_left_behind(books, rival)


async def test_a_lane_broken_off_at_any_statement_leaves_nobody_waiting_and_nothing_behind(
    database_url, shop, books, rival
):
    """The lane's own task is cancelled while its k-th statement runs, for every k there is."""
    broken_off = 0
    for number in range(100):
        database = Database(database_url, pool_size=2)
        lanes = lanes_module.Lanes(database, lanes_module.LaneLimits(), lambda *_: None)
        statements = break_off_at(database, lanes, number)
        submission = book(slot(number))
        try:
            answer = await lanes.submit(submission)
        except TryAgain:
            broken_off += 1
            answer = await lanes.submit(submission)

        assert await books.rows(
            "SELECT response FROM requests WHERE request_id = $1", submission.request_id
        ) == [(answer,)]
        await assert_nothing_is_left_behind(books, rival)
        await lanes.drain()
        await database.close()
        if len(statements) <= number:
            break

    assert broken_off >= 8
    assert await books.revision() == 4 + number + 1


def break_off_at(database, lanes, number):
    """Cancel the lane while it runs its statement of that number; a commit is one too."""
    statements: list[str] = []

    def count(statement):
        statements.append(statement)
        if len(statements) == number + 1:
            (task,) = lanes._running
            asyncio.get_running_loop().call_soon(task.cancel)

    engine = database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def before_statement(connection, cursor, statement, *_):
        count(statement)

    @event.listens_for(engine, "commit")
    def before_commit(connection):
        count("COMMIT")

    return statements
