"""What must be true after anything was broken off, wherever it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy.pool import QueuePool

from service.actions.submission import Submission
from service.store.database import Database
from service.store.scope import session_of

_FORGOTTEN = """
    SELECT state, query FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'slotcast'
      AND state LIKE 'idle in transaction%'
    UNION ALL
    SELECT 'lock', pid::text FROM pg_locks
    WHERE locktype = 'advisory' AND database = (
        SELECT oid FROM pg_database WHERE datname = current_database())
"""
_CLAIMS_ALONE = """
    SELECT owner_id FROM claims WHERE kind = 'booking' AND owner_id NOT IN (
        SELECT booking_id::text FROM bookings WHERE status IN ('pending', 'confirmed'))
"""
_BOOKINGS_ALONE = """
    SELECT booking_id FROM bookings WHERE status IN ('pending', 'confirmed')
      AND booking_id::text NOT IN (SELECT owner_id FROM claims WHERE kind = 'booking')
"""
_LOCKS_OF_MINE = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
"""
_LOG = "SELECT revision FROM changes WHERE business_id = 'demo' ORDER BY revision"


class Aftermath:
    """Looks at a pool, and at the database, when something was broken off."""

    def __init__(self, database: Database, witness: asyncpg.Connection) -> None:
        """Take a pool of one connection, and a connection that is none of the service's."""
        self._database = database
        self._witness = witness

    async def check(self) -> None:
        """Nothing is left behind; and what was written is whole."""
        await self._check_pool()
        await until(self._nothing_is_forgotten)
        assert await self._witness.fetch(_CLAIMS_ALONE) == []
        assert await self._witness.fetch(_BOOKINGS_ALONE) == []
        log = [revision for (revision,) in await self._witness.fetch(_LOG)]
        assert log == list(range(1, await self._revision() + 1))

    async def check_request(
        self, submission: Submission, send: Callable[[Submission], Awaitable[bytes]]
    ) -> bytes:
        """Sent again, it is answered as it was if it was done, and is done once in any case."""
        before = await self._answered(submission)

        answer = await send(submission)

        assert before is None or before == answer
        assert await self._answered(submission) == answer
        revision = json.loads(answer)["revision"]
        assert await self._witness.fetchval("SELECT count(*) FROM requests") == revision
        await self.check()
        return answer

    async def _check_pool(self) -> None:
        """What is in the pool is as good as new."""
        async with self._database.read_committed.connect() as tx:
            session = session_of(tx)
            assert not session.is_in_transaction()
            # Not through SQLAlchemy, which would begin a transaction.
            assert await session.fetchval(_LOCKS_OF_MINE) == 0

    async def _nothing_is_forgotten(self) -> bool:
        """Wait for what ends by itself: a backend learns that its client is gone when it looks."""
        forgotten = await self._witness.fetch(_FORGOTTEN)
        pool = self._database.engine.pool
        assert isinstance(pool, QueuePool)
        return not forgotten and pool.checkedout() == 0

    async def _revision(self) -> int:
        revision = await self._witness.fetchval(
            "SELECT revision FROM businesses WHERE business_id = 'demo'"
        )
        assert isinstance(revision, int)
        return revision

    async def _answered(self, submission: Submission) -> bytes | None:
        answer = await self._witness.fetchval(
            "SELECT response FROM requests WHERE request_id = $1", submission.request_id
        )
        assert answer is None or isinstance(answer, bytes)
        return answer


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that comes by itself."""
    async with asyncio.timeout(60):
        while not await condition():
            pass
