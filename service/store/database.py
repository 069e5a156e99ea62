"""The database: one engine, snapshots to read from, and which failures may be tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from service.store.scope import OPERATOR_ROLE, SERVICE_ROLE, Scope, Session, scoped

Transaction = AsyncConnection
"""What a story hands to the functions of the store."""

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
LOCK_NOT_AVAILABLE = "55P03"
EXCLUSION_VIOLATION = "23P01"
UNIQUE_VIOLATION = "23505"
QUERY_CANCELED = "57014"
# A cached plan that a migration made stale: it cannot be mended inside the transaction.
FEATURE_NOT_SUPPORTED = "0A000"
IDLE_IN_TRANSACTION_TIMEOUT = "25P03"
# The server has become a standby: another is about to take over.
READ_ONLY_TRANSACTION = "25006"

# They may be a serialization failure in disguise (PostgreSQL manual, 13.5).
_CONFLICTS = frozenset({EXCLUSION_VIOLATION, UNIQUE_VIOLATION})
_RETRYABLE = _CONFLICTS | {
    SERIALIZATION_FAILURE,
    DEADLOCK_DETECTED,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    FEATURE_NOT_SUPPORTED,
    IDLE_IN_TRANSACTION_TIMEOUT,
    READ_ONLY_TRANSACTION,
}
# Connection lost, out of connections, server starting or stopping.
_RETRYABLE_CLASSES = ("08", "53", "57")

_SERVER_SETTINGS = {
    "application_name": "slotcast",
    "timezone": "UTC",
    # A scope is quoted the standard way.
    "standard_conforming_strings": "on",
    # A young table is small, so it would be scanned: then one read locks all of it, and the writers
    # of all businesses fail each other.
    "enable_seqscan": "off",
    # The default is that of a spinning disk.
    "random_page_cost": "1.1",
    "jit": "off",
    "lock_timeout": "2s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
}


class Database:
    """PostgreSQL, through one pool for this process."""

    def __init__(self, url: str, *, pool_size: int, role: str | None = SERVICE_ROLE) -> None:
        """Take a URL as libpq does. Nothing is connected yet.

        Sessions run as a role that owns nothing; without one, as who the URL names: that is for
        migrations, to which the scopes mean nothing.
        """
        self._url = url
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(_connect, url, role),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            # An error that is logged must not tell who books what.
            hide_parameters=True,
        )
        event.listen(self.engine.sync_engine, "handle_error", _give_up_lost_connection)
        self._snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.serializable = self.engine.execution_options(isolation_level="SERIALIZABLE")
        self.read_committed = self.engine.execution_options(isolation_level="READ COMMITTED")

    @asynccontextmanager
    async def snapshot(self, scope: Scope) -> AsyncIterator[Transaction]:
        """Read from one state of the database what belongs to a business, or to all."""
        async with self._snapshots.connect() as tx:
            with scoped(tx, scope):
                yield tx

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Transaction]:
        """Open a READ COMMITTED transaction on what belongs to a business, or to all."""
        async with self.read_committed.connect() as tx:
            with scoped(tx, scope):
                async with tx.begin():
                    yield tx

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Session]:
        """Open a connection beside the pool, with the operator's eyes, for who waits for news."""
        session = await _connect(self._url, OPERATOR_ROLE)
        try:
            yield session
        finally:
            session.terminate()

    async def close(self) -> None:
        """Close all connections of the pool."""
        await self.engine.dispose()


async def _connect(url: str, role: str | None) -> Session:
    settings = _SERVER_SETTINGS if role is None else {**_SERVER_SETTINGS, "role": role}
    return await asyncpg.connect(url, connection_class=Session, server_settings=settings, timeout=5)


def _give_up_lost_connection(context: ExceptionContext) -> None:
    """Let a connection that the driver cannot follow any more not go back into the pool."""
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError) and _is_lost(error.driver_exception):
        context.is_disconnect = True


def _is_lost(error: BaseException) -> bool:
    """Say whether the driver met something that it does not know.

    As when it is asked between the server's word that the connection ends and its end.
    """
    return isinstance(error, asyncpg.InternalClientError)


async def predicate_locks_per_transaction(tx: Transaction) -> int:
    """Return how many rows a transaction may read before PostgreSQL locks the whole table."""
    shown = await tx.exec_driver_sql("SHOW max_pred_locks_per_transaction")
    return int(shown.scalar_one())


def is_retryable(error: BaseException) -> bool:
    """Say whether the whole transaction may be tried again."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.driver_exception
    # A value that cannot be sent will not be sent the next time either.
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        code = sqlstate(error)
        if code is None:
            return not isinstance(error, ValueError)
        return code in _RETRYABLE or code.startswith(_RETRYABLE_CLASSES)
    # Refusals to connect, the pool's time-out, and ours.
    return _is_lost(error) or isinstance(error, OSError | TimeoutError | PoolTimeout)


def is_conflict(error: BaseException) -> bool:
    """Say whether a row did not fit those that are there: once, that may be a lost race."""
    return sqlstate(error) in _CONFLICTS


def sqlstate(error: BaseException) -> str | None:
    """Return the five characters by which PostgreSQL names a failure."""
    if isinstance(error, DBAPIError):
        error = error.driver_exception
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else None


def database_failure(error: BaseException) -> str | None:
    """Return what PostgreSQL, or the way to it, said in a line; None: the fault is another."""
    if isinstance(error, DBAPIError):
        error = error.driver_exception
    if isinstance(error, asyncpg.PostgresError | OSError):
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None
