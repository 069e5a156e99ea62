"""The database: one engine, snapshots to read from, and which failures may be tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
LOCK_NOT_AVAILABLE = "55P03"
EXCLUSION_VIOLATION = "23P01"
UNIQUE_VIOLATION = "23505"
QUERY_CANCELED = "57014"
# A cached plan that a migration made stale: it cannot be mended inside the transaction.
FEATURE_NOT_SUPPORTED = "0A000"

_RETRYABLE = frozenset(
    {
        SERIALIZATION_FAILURE,
        DEADLOCK_DETECTED,
        LOCK_NOT_AVAILABLE,
        # These two may be a serialization failure in disguise (PostgreSQL manual, 13.5).
        EXCLUSION_VIOLATION,
        UNIQUE_VIOLATION,
        QUERY_CANCELED,
        FEATURE_NOT_SUPPORTED,
    }
)
# Connection lost, server starting or stopping, out of connections.
_RETRYABLE_CLASSES = ("08", "53", "57")


class Database:
    """PostgreSQL, through one pool for this process."""

    def __init__(self, url: str, *, pool_size: int) -> None:
        """Take a `postgresql://` URL. Nothing is connected yet."""
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args={"server_settings": _SERVER_SETTINGS, "timeout": 5},
        )
        self._snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.serializable = self.engine.execution_options(isolation_level="SERIALIZABLE")
        self.read_committed = self.engine.execution_options(isolation_level="READ COMMITTED")

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Read from one state of the database."""
        async with self._snapshots.connect() as tx:
            yield tx

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


_SERVER_SETTINGS = {
    "application_name": "slotcast",
    "timezone": "UTC",
    # A young table is small, so it would be scanned: then one read locks all of it, and the writers of
    # all businesses fail each other.
    "enable_seqscan": "off",
    "jit": "off",
    "lock_timeout": "2s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
}


def is_retryable(error: BaseException) -> bool:
    """Say whether the whole transaction may be tried again."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        code = sqlstate(error)
        return code is None or code in _RETRYABLE or code.startswith(_RETRYABLE_CLASSES)
    # asyncpg's refusals to connect, and the pool's time-out.
    return isinstance(error, OSError | TimeoutError | PoolTimeout)


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters by which PostgreSQL names a failure."""
    return getattr(error.orig, "sqlstate", None)
