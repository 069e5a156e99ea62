"""The migrations make the tables that tables.py says there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from service.domain.change import Change, ChangeKind
from service.domain.change_codec import change_from_json, change_to_json
from service.store import migrate as migration
from service.store import row_security
from service.store.migrate import current, migrate, newest
from service.store.tables import metadata

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped AND c.relname <> 'alembic_version'
"""
CONSTRAINTS = """
    SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
SECURITY = """
    SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v')
      AND relname <> 'alembic_version'
"""
POLICIES = """
    SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check
    FROM pg_policies WHERE schemaname = 'public'
"""
GRANTS = """
    SELECT relname, grantee::regrole::text, privilege_type
    FROM pg_class CROSS JOIN LATERAL aclexplode(relacl)
    WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""
OURS = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


async def catalog_of(tx):
    return {
        name: {tuple(row) for row in await tx.exec_driver_sql(query)}
        for name, query in (
            ("columns", COLUMNS),
            ("constraints", CONSTRAINTS),
            ("indexes", INDEXES),
            ("security", SECURITY),
            ("policies", POLICIES),
            ("grants", GRANTS),
        )
    }


def run_alembic(connection: Connection, run, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migration._FOLDER))
    config.attributes["connection"] = connection
    run(config, revision)


async def test_the_migrations_make_the_tables_of_the_code(owner):
    async with owner.read_committed.begin() as tx:
        migrated = await catalog_of(tx)
        await tx.run_sync(run_alembic, command.downgrade, "base")
        await tx.run_sync(metadata.create_all)
        for table in metadata.tables:
            for statement in row_security.statements(table):
                await tx.exec_driver_sql(statement)
        created = await catalog_of(tx)

    for part, rows in created.items():
        assert rows, f"There are {part} to compare."
        assert sorted(rows ^ migrated[part], key=str) == [], part


async def test_every_table_keeps_the_businesses_apart(owner):
    """Also from its owner (FORCE); Alembic's own table has no business's rows."""
    async with owner.read_committed.connect() as tx:
        found = await catalog_of(tx)

    assert found["security"] == {(name, True, True) for name in metadata.tables}
    assert {(table, policy, role) for table, policy, _, role, *_ in found["policies"]} == {
        (name, policy, role)
        for name in metadata.tables
        for policy, role in (
            ("one_business", "{slotcast_service}"),
            ("all_businesses", "{slotcast_operator}"),
        )
    }


async def test_alembic_finds_nothing_to_add_to_the_migrations(owner):
    async with owner.read_committed.connect() as tx:
        differences = await tx.run_sync(
            lambda connection: compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True}), metadata
            )
        )

    assert differences == []


async def test_a_downgrade_leaves_nothing_and_can_be_taken_back(owner, database_url):
    async with owner.read_committed.begin() as tx:
        before = await catalog_of(tx)
        await tx.run_sync(run_alembic, command.downgrade, "base")
        left = [name for (name,) in await tx.exec_driver_sql(OURS)]
    await migrate(database_url)

    async with owner.read_committed.connect() as tx:
        assert await catalog_of(tx) == before
        assert await current(tx) == newest()
    assert left == ["alembic_version"]


async def test_each_migration_can_be_taken_back_and_done_again(owner, database_url):
    async with owner.read_committed.begin() as tx:
        before = await catalog_of(tx)
    for number in range(int(newest()) - 1, 0, -1):
        async with owner.read_committed.begin() as tx:
            await tx.run_sync(run_alembic, command.downgrade, f"{number:04}")
        await migrate(database_url)

        async with owner.read_committed.connect() as tx:
            assert await catalog_of(tx) == before


async def test_who_goes_back_before_handoffs_keeps_no_answer_of_theirs_and_can_read_the_log(owner):
    statements = (
        "INSERT INTO businesses VALUES ('demo', 'Demo', 5, 'e', 0, 0)",
        """
        INSERT INTO handoffs (business_id, handoff_id, hold_id, type_id, holder_key, fields,
            created_at, expires_at, redeemed_by, request_ids)
        VALUES ('demo', gen_random_uuid(), gen_random_uuid(), 'visit', 'k', '[]', now(), now(),
            'page', '{redeem}')
        """,
        """
        INSERT INTO requests
        SELECT 'demo', principal_id, request_id, '', 'kim@example.org', now()
        FROM (VALUES ('page', 'redeem'), ('page', 'hold'), ('chat', 'redeem'))
            AS asked (principal_id, request_id)
        """,
    )
    log = [
        Change(revision=revision, at=datetime(2026, 11, 28, tzinfo=UTC), kind=kind)
        for revision, kind in ((1, ChangeKind.HELD), (2, ChangeKind.HANDED_OVER))
    ]
    # Not committed: the tables stay as they are.
    async with owner.read_committed.connect() as tx:
        for statement in statements:
            await tx.exec_driver_sql(statement)
        for change in log:
            await tx.exec_driver_sql(
                "INSERT INTO changes VALUES ('demo', $1, now(), $2)",
                (change.revision, change_to_json(change)),
            )

        await tx.run_sync(run_alembic, command.downgrade, "0006")

        left = await tx.exec_driver_sql("SELECT principal_id, request_id FROM requests")
        assert set(left.all()) == {("page", "hold"), ("chat", "redeem")}
        bodies = await tx.exec_driver_sql("SELECT body FROM changes ORDER BY revision")
        assert [change_from_json(body) for (body,) in bodies] == [
            log[0],
            replace(log[1], kind=ChangeKind.RENEWED),
        ]


async def test_a_database_that_is_up_to_date_is_left_alone(owner, database_url):
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("INSERT INTO businesses VALUES ('demo', 'Demo', 5, 'e', 0, 0)")

    assert await migrate(database_url) == newest()

    async with owner.read_committed.connect() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM businesses"))).scalar_one() == 1


async def test_an_empty_database_has_no_revision(owner):
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("DROP TABLE alembic_version")

        assert await current(tx) is None


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_a_business_leads_every_key(table):
    """So that a business can live on any node, and no key tells one of another (S7)."""
    if table.name == "api_keys":
        return
    keys = [table.primary_key, *(each for each in table.constraints if is_key(each))]
    for key in keys:
        first = next(iter(key.columns))
        assert first.name == "business_id", key.name


def is_key(constraint) -> bool:
    return constraint.__visit_name__ in {"unique_constraint", "exclude_constraint"}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_constraint_has_a_name(table):
    assert all(constraint.name for constraint in table.constraints)
