"""Which failures may be tried again."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from service.store.database import Database, is_conflict, is_retryable, sqlstate
from service.store.scope import session_of


async def failure_of(database, statement, values=()):
    with pytest.raises(DBAPIError) as failure:
        async with database.serializable.begin() as tx:
            await tx.exec_driver_sql(statement, values)
    return failure.value


@pytest.mark.parametrize(
    "code", ["40001", "40P01", "55P03", "57014", "57P01", "08006", "53300", "25P03", "25006"]
)
async def test_what_may_pass_is_tried_again(database, code):
    failure = await failure_of(
        database, f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"
    )

    assert sqlstate(failure) == code
    assert is_retryable(failure)
    assert not is_conflict(failure)


@pytest.mark.parametrize("code", ["23P01", "23505"])
async def test_a_row_that_does_not_fit_may_be_a_lost_race(database, code):
    failure = await failure_of(
        database, f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"
    )

    assert is_retryable(failure)
    assert is_conflict(failure)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("SELECT * FROM nothing", ()),
        ("SELECT 1 / 0", ()),
        # Refused by the driver, before the server sees them.
        ("SELECT $1::integer", ("one",)),
        ("SELECT $1::bigint", (2**70,)),
        ("SELECT $1::text", ("\ud800",)),
        # And by the server.
        ("SELECT $1::text", ("\0",)),
    ],
)
async def test_what_cannot_pass_is_not_tried_again(database, statement, values):
    assert not is_retryable(await failure_of(database, statement, values))


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (asyncpg.ConnectionDoesNotExistError(), True),
        (asyncpg.LockNotAvailableError(), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to state 11; another operation (2)"), True),
        (asyncpg.DataError("invalid input for query argument"), False),
        (ValueError(), False),
        (asyncio.CancelledError(), False),
    ],
)
def test_what_does_not_come_through_sqlalchemy_is_told_apart_too(error, retryable):
    assert is_retryable(error) == retryable


async def test_a_connection_that_the_driver_cannot_follow_any_more_is_not_used_again(
    database_url, monkeypatch
):
    """It is told so between the server's word that the connection ends, and its end."""
    database = Database(database_url, pool_size=1)

    async def lose_track(*_, **__):
        raise asyncpg.InternalClientError("cannot switch to state 11; another operation (2)")

    async with database.transaction("demo") as tx:
        session = session_of(tx)
    monkeypatch.setattr(session, "prepare", lose_track)

    failure = await failure_of(database, "SELECT 1")

    assert is_retryable(failure)
    async with database.transaction("demo") as tx:
        assert session_of(tx) is not session
    await database.close()


async def test_a_failure_does_not_tell_what_was_to_be_stored(database):
    """S22: who books what does not belong in a log."""
    failure = await failure_of(database, "SELECT $1::integer, $2::text", ("1", "eve@example.org"))

    assert "eve@example.org" not in str(failure)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
async def test_a_database_is_named_as_libpq_does(database_url, scheme):
    url = database_url.replace("postgresql", scheme, 1) + "?sslmode=prefer"
    database = Database(url, pool_size=1)

    async with database.snapshot("demo") as tx:
        assert (await tx.exec_driver_sql("SELECT 1")).scalar_one() == 1

    await database.close()


async def test_a_snapshot_reads_one_state_and_writes_nothing(database):
    with pytest.raises(DBAPIError) as failure:
        async with database.snapshot("demo") as tx:
            await tx.exec_driver_sql("DELETE FROM businesses")

    assert sqlstate(failure.value) == "25006"
