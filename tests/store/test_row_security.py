"""PostgreSQL keeps the businesses apart, whatever our statements forget."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.store import api_keys, bookings, catalog, changes, deliveries, row_security
from service.store.api_keys import ApiKey
from service.store.business_lock import serialized
from service.store.database import Database, sqlstate
from service.store.failures import RowSecurityMissing
from service.store.migrate import migrate
from service.store.scope import ALL_BUSINESSES, Session
from service.store.tables import metadata
from tests.builders import NOW, a_calendar, a_claim, a_closure, at
from tests.notify.engine import a_delivery
from tests.store.rows import a_booking, a_hold_row, make_business, put, some_changes

FORBIDDEN = "42501"
TABLES = sorted(metadata.tables)
OTHER_TABLES = ("deliveries", "waitlist", "handoffs", "busy_feeds", "feed_links", "webhooks")
SOMETHING = {
    ARRAY: [],
    BigInteger: 0,
    Boolean: False,
    DateTime: NOW,
    Integer: 0,
    Interval: timedelta(hours=1),
    JSONB: {},
    LargeBinary: b"",
    Text: "",
    Uuid: UUID(int=1),
}
_numbers = count(1)


def with_user(url, user, database):
    place = urlsplit(url)
    host = place.netloc.rpartition("@")[2]
    return urlunsplit(place._replace(netloc=f"{user}:secret@{host}", path=f"/{database}"))


@pytest.fixture
async def admin(server_url):
    """A connection that may do anything."""
    connection = await asyncpg.connect(server_url)
    yield connection
    await connection.close()


@pytest.fixture
async def make_login(admin, server_url, template_name):
    """Make logins that are nobody's superuser, each the owner of an empty database."""
    made = []

    async def make(attributes=""):
        name = template_name.replace("template", f"login_{next(_numbers)}")
        made.append(name)
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' {attributes}")
        await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
        return name, with_user(server_url, name, name)

    yield make
    for name in made:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE {name}")


@pytest.fixture(params=["superuser", "ordinary login"])
async def url(request, database_url, make_login, admin):
    """A migrated database whose owner is the one or the other: both connect as the owner."""
    if request.param == "superuser":
        return database_url
    login, url = await make_login()
    await admin.execute(f"GRANT {', '.join(row_security.ROLES)} TO {login}")
    await migrate(url)
    return url


@pytest.fixture
async def database(url):
    """The database as the service sees it, through one connection that all share."""
    database = Database(url, pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def two(database):
    """Two businesses, each with a row in every table."""
    for name in ("demo", "other"):
        await make_business(database, name)
        await put(
            database,
            business_id=name,
            claims=[a_claim(at("10:00"))],
            bookings=[a_booking(at("10:00"))],
            holds=[a_hold_row(at("10:00"))],
            changes=some_changes(1, 1),
        )
        async with database.transaction(name) as tx:
            await catalog.write_closure(tx, name, a_closure())
            await api_keys.add(tx, a_key(name))
            await tx.exec_driver_sql(
                "INSERT INTO requests VALUES ($1, 'chatbot', 'request', '', '', now())", (name,)
            )
            await tx.exec_driver_sql("INSERT INTO removed_businesses VALUES ($1)", (name,))
            for table in OTHER_TABLES:
                await tx.execute(metadata.tables[table].insert().values(a_row(table, name)))


def a_row(table, business_id):
    """Return a row with something in every column that needs it."""
    given = {"business_id": business_id, "calendar_id": "anna", "state": "waiting"}
    columns = metadata.tables[table].c
    return {
        column.name: given.get(column.name, SOMETHING[type(column.type)])
        for column in columns
        if not column.nullable and column.server_default is None
    }


def a_key(business_id):
    return ApiKey(
        key_id=f"key-of-{business_id}",
        business_id=business_id,
        display_name="Chatbot",
        secret_hash=b"",
        scopes=frozenset(),
    )


async def businesses_in(tx, table):
    return {name for (name,) in await tx.exec_driver_sql(f"SELECT business_id FROM {table}")}


async def refusal_of(database, scope, statement):
    with pytest.raises(DBAPIError) as refusal:
        async with database.transaction(scope) as tx:
            await tx.exec_driver_sql(statement)
    return sqlstate(refusal.value)


class TestOneBusiness:
    async def test_a_statement_that_names_no_business_sees_its_own_only(self, database, two):
        async with database.snapshot("demo") as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [{"demo"}] * len(TABLES)
        async with serialized(database, "other") as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [{"other"}] * len(TABLES)

    async def test_a_deletion_that_names_no_business_spares_the_others(self, database, two):
        async with database.transaction("demo") as tx:
            # What refers to another table goes first.
            for table in reversed(metadata.sorted_tables):
                await tx.exec_driver_sql(f"DELETE FROM {table.name}")

        async with database.snapshot("demo") as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [set()] * len(TABLES)
        async with database.snapshot("other") as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [{"other"}] * len(TABLES)

    async def test_a_row_cannot_be_given_to_another_business(self, database, two):
        for table in TABLES:
            update = f"UPDATE {table} SET business_id = 'another'"
            assert await refusal_of(database, "demo", update) == FORBIDDEN, table

    async def test_a_row_of_another_business_cannot_be_written(self, database, two):
        for name, table in metadata.tables.items():
            async with database.snapshot("other") as tx:
                row = (await tx.execute(select(table).limit(1))).mappings().one()

            with pytest.raises(DBAPIError) as refusal:
                async with database.transaction("demo") as tx:
                    await tx.execute(table.insert().values(**row))
            assert sqlstate(refusal.value) == FORBIDDEN, name

    async def test_what_is_upserted_is_never_the_row_of_another(self, database, two):
        taken = a_closure(display_name="Smuggled")

        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.transaction("demo") as tx:
                await catalog.write_closure(tx, "other", taken)

    async def test_the_lost_and_the_forgotten_see_nothing(self, database, two):
        """The same connection has served businesses before."""
        async with database.snapshot("") as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [set()] * len(TABLES)
        async with database.read_committed.connect() as tx:
            assert [await businesses_in(tx, table) for table in TABLES] == [set()] * len(TABLES)


class TestAllBusinesses:
    async def test_the_operator_sees_how_far_all_are(self, database, two):
        async with database.snapshot(ALL_BUSINESSES) as tx:
            heads = await changes.heads(tx, ["demo", "other"])
            listed = await catalog.list_businesses(tx, after=None, limit=10)
            key = await api_keys.find(tx, "key-of-other")

        assert set(heads.by_business) == {"demo", "other"}
        assert [each.business_id for each in listed] == ["demo", "other"]
        assert key.business_id == "other"

    @pytest.mark.parametrize(
        "statement", ["SELECT customer FROM bookings", "UPDATE claims SET seat = 2"]
    )
    async def test_the_operator_sees_no_customer_and_books_nothing(self, database, two, statement):
        assert await refusal_of(database, ALL_BUSINESSES, statement) == FORBIDDEN

    async def test_no_id_of_a_business_means_all(self, database, two):
        for scope in ("*", "all", "x'; SET LOCAL ROLE slotcast_operator; --", "demo\\"):
            async with database.snapshot(scope) as tx:
                assert await businesses_in(tx, "businesses") == set()

    async def test_who_owns_the_tables_sees_all_rows(self, url, database, two):
        """So do psql, pg_dump and pgbench, which connect as the service does."""
        connection = await asyncpg.connect(url)
        found = [
            {row[0] for row in await connection.fetch(f"SELECT business_id FROM {table}")}
            for table in TABLES
        ]
        await connection.close()

        assert found == [{"demo", "other"}] * len(TABLES)


class TestScope:
    async def test_it_takes_no_message_of_its_own(self, database, monkeypatch):
        """It would on each batch, of which there are thousands a second."""
        sent, execute, test = [], Session.execute, asyncio.current_task()

        async def spying(self, query, *args, **options):
            # Servers of other tests may have something to do in the same loop.
            if asyncio.current_task() is test:
                sent.append(query.partition(" ")[0])
            return await execute(self, query, *args, **options)

        async with database.snapshot("demo") as tx:
            await tx.exec_driver_sql("SELECT 'the first time, SQLAlchemy has questions'")
        monkeypatch.setattr(Session, "execute", spying)
        async with serialized(database, "demo") as tx:
            await tx.exec_driver_sql("SELECT 1")

        assert sent == ["SELECT", "BEGIN", "COMMIT;", "SELECT"]

    async def test_it_is_gone_with_its_transaction_whatever_became_of_it(self, database, two):
        async def fails():
            async with database.transaction("demo") as tx:
                await tx.exec_driver_sql("SELECT 1 / 0")

        async def is_not_used():
            async with database.snapshot("demo"):
                pass

        async def is_for_all():
            async with database.snapshot(ALL_BUSINESSES) as tx:
                await tx.exec_driver_sql("SELECT 1")

        async def is_cancelled():
            task = asyncio.current_task()
            async with database.transaction("demo") as tx:
                asyncio.get_running_loop().call_soon(task.cancel)
                await tx.exec_driver_sql("SELECT pg_sleep(60)")

        for use in (fails, is_not_used, is_for_all, is_cancelled):
            await asyncio.gather(asyncio.create_task(use()), return_exceptions=True)
            async with database.read_committed.connect() as tx:
                asked = "SELECT current_user, current_setting('slotcast.business_id', true)"
                user, business_id = (await tx.exec_driver_sql(asked)).one()
                assert (user, business_id or "") == ("slotcast_service", "")
                assert await businesses_in(tx, "businesses") == set()


class TestOwner:
    """What PostgreSQL checks for itself, it checks as the owner, whom the policies bind too."""

    async def test_a_reference_is_checked(self, database, two):
        async with database.transaction("demo") as tx:
            await catalog.write_calendar(tx, "demo", a_calendar("ben"))

        with pytest.raises(IntegrityError, match="calendars_follow_a_schedule"):
            async with database.transaction("demo") as tx:
                await catalog.delete_schedule(tx, "demo", "office")

    async def test_a_deletion_takes_along_what_belongs_to_it(self, database, two):
        async with serialized(database, "demo") as tx:
            await catalog.delete_business(tx, "demo")

        async with database.snapshot("demo") as tx:
            left = {table for table in TABLES if await businesses_in(tx, table)}
        # The fixture has put the second there; the janitor takes it away.
        assert left == {"requests", "removed_businesses"}
        async with database.snapshot("other") as tx:
            assert await catalog.load(tx, "other") is not None

    async def test_who_enqueues_a_job_reads_no_other(self, database, two):
        planned = a_delivery()
        async with database.transaction("other") as tx:
            await deliveries.add(tx, "other", [planned])

        for column in ("payload", "status", "headers"):
            statement = f"SELECT {column} FROM slotcast_jobs.pgqueuer"
            assert await refusal_of(database, "demo", statement) == FORBIDDEN
        for statement in (
            "UPDATE slotcast_jobs.pgqueuer SET entrypoint = ''",
            "DELETE FROM slotcast_jobs.pgqueuer",
            "SELECT traceback FROM slotcast_jobs.pgqueuer_log",
        ):
            assert await refusal_of(database, "demo", statement) == FORBIDDEN

    async def test_two_claims_never_overlap(self, database, two):
        with pytest.raises(IntegrityError, match="claims_fit_capacity"):
            await put(database, claims=[a_claim(at("10:00"))])

    async def test_a_booking_is_written_twice_and_read_back(self, database, two):
        booking = a_booking(at("12:00"))
        for _ in range(2):
            await put(database, bookings=[booking])

        async with database.snapshot("demo") as tx:
            assert await bookings.get(tx, "demo", booking.booking_id) == booking


class TestRoles:
    async def test_who_may_not_make_the_roles_is_told_what_an_administrator_has_to_run(
        self, make_login, admin, monkeypatch
    ):
        login, url = await make_login()
        with pytest.raises(RowSecurityMissing) as failure:
            await migrate(url)
        statement = f"GRANT slotcast_service, slotcast_operator TO {login};"
        assert str(failure.value).endswith(f"Have an administrator run: {statement}")

        absent = tuple(f"{login}_{name}" for name in ("service", "operator"))
        monkeypatch.setattr(row_security, "ROLES", absent)
        with pytest.raises(RowSecurityMissing) as failure:
            await migrate(url)
        assert "".join(f"CREATE ROLE {name} NOLOGIN; " for name in absent) in str(failure.value)

        monkeypatch.undo()
        await admin.execute(statement)
        await migrate(url)
        await check(url)

    async def test_a_login_that_may_make_roles_makes_them_and_may_become_them(
        self, make_login, admin, monkeypatch
    ):
        login, url = await make_login("CREATEROLE")
        made = tuple(f"{login}_{name}" for name in ("service", "operator"))
        monkeypatch.setattr(row_security, "ROLES", made)
        owner = Database(url, pool_size=1, role=None)
        for _ in range(2):
            async with owner.read_committed.begin() as tx:
                await row_security.ensure_roles(tx)
        async with owner.read_committed.connect() as tx:
            for role in made:
                await tx.exec_driver_sql(f"SET LOCAL ROLE {role}")
                query = "SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles"
                found = await tx.exec_driver_sql(f"{query} WHERE rolname = current_user")
                assert tuple(found.one()) == (False, False, False)
        await owner.close()
        await admin.execute(f"DROP ROLE {', '.join(made)}")

    async def test_a_service_that_would_see_all_does_not_start(self, owner, database_url):
        await check(database_url)
        async with owner.read_committed.begin() as tx:
            await tx.exec_driver_sql("ALTER TABLE holds DISABLE ROW LEVEL SECURITY")

        with pytest.raises(RowSecurityMissing, match="on holds: "):
            await check(database_url)

    async def test_a_service_that_runs_as_its_login_does_not_start(self, owner):
        with pytest.raises(RowSecurityMissing, match="not as slotcast_service"):
            await row_security.check(owner)


async def check(url):
    database = Database(url, pool_size=1)
    try:
        await row_security.check(database)
    finally:
        await database.close()
