"""Bring a database to the newest tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.database import Database
from service.store.row_security import ensure_roles

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x510C_0000
"""An advisory lock: of several servers that start together, one migrates, and the others wait."""


def newest() -> str:
    """Return the revision of the newest migration."""
    head = ScriptDirectory(str(_FOLDER)).get_current_head()
    assert head is not None
    return head


async def migrate(url: str) -> str:
    """Run the migrations that are missing, as who the URL names; return the revision reached."""
    database = Database(url, pool_size=1, role=None)
    try:
        async with database.read_committed.connect() as tx:
            # A migration may take its time.
            await tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
            await tx.exec_driver_sql("SET LOCAL lock_timeout = 0")
            await tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await ensure_roles(tx)
            await tx.run_sync(_upgrade)
            await tx.commit()
    finally:
        await database.close()
    return newest()


async def current(tx: AsyncConnection) -> str | None:
    """Return the revision that a database is at; None: it is empty."""
    return await tx.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
