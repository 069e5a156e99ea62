"""One writer at a time on a business, whatever the number of processes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zlib import crc32

from service.ops.failpoints import Failpoint, reach
from service.store.database import Database, Transaction
from service.store.scope import Session, scoped, session_of

logger = logging.getLogger(__name__)

_LOCK_CLASS = 0x510C
# More than the server's own lock_timeout: only a server that does not answer is given up on.
_ANSWER_SECONDS_MAX = 5.0


@asynccontextmanager
async def serialized(database: Database, business_id: str) -> AsyncIterator[Transaction]:
    """Open a SERIALIZABLE transaction when no other process has one on this business.

    It sees that business and no other. The lock is taken before BEGIN: one taken inside would come
    after the snapshot, and the transaction would then fail on what it had waited for.
    """
    async with database.serializable.connect() as tx:
        connection = session_of(tx)
        lock = _BusinessLock(connection, business_id)
        try:
            await lock.take()
            reach(Failpoint.BEFORE_BEGIN)
            with scoped(tx, business_id):
                async with tx.begin():
                    yield tx
                    reach(Failpoint.BEFORE_COMMIT)
            reach(Failpoint.AFTER_COMMIT)
        except Exception:
            # Rolled back: the connection is as good as before, if it can still talk.
            await lock.give_back()
            raise
        else:
            await lock.give_back()
        finally:
            if lock.may_be_held:
                # In the pool it would hold it for ever; what has ended holds nothing.
                connection.terminate()
                await tx.invalidate()


class _BusinessLock:
    """An advisory lock of the session. Businesses of the same hash only wait for each other."""

    def __init__(self, connection: Session, business_id: str) -> None:
        self._connection = connection
        self._key = crc32(business_id.encode()) - 2**31
        self.may_be_held = False

    async def take(self) -> None:
        """Wait for the lock, no longer than the server's lock_timeout."""
        self.may_be_held = True
        await self._connection.execute(
            "SELECT pg_advisory_lock($1, $2)", _LOCK_CLASS, self._key, timeout=_ANSWER_SECONDS_MAX
        )

    async def give_back(self) -> None:
        """Give the lock back; a failure is no failure of what was done under it."""
        try:
            await self._connection.execute(
                "SELECT pg_advisory_unlock_all()", timeout=_ANSWER_SECONDS_MAX
            )
            self.may_be_held = False
        except Exception as error:
            logger.warning("a connection that held a lock is closed: %s", type(error).__name__)
