"""Whose rows a transaction may touch: those of one business, or, for an operator's work, of all.

PostgreSQL sees to it (store/row_security.py). The scope travels with BEGIN, in the same message,
and is gone with COMMIT or ROLLBACK: it costs no round trip, and a connection takes none of it back
into the pool. A transaction without a scope sees nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

SERVICE_ROLE = "slotcast_service"
"""What our sessions run as: it sees the business of the setting."""
OPERATOR_ROLE = "slotcast_operator"
"""It sees all businesses, but may do little: follow their revisions, trim, find keys."""
BUSINESS_SETTING = "slotcast.business_id"


class AllBusinesses(Enum):
    """No text from a request can be this."""

    ALL_BUSINESSES = "all"


ALL_BUSINESSES: Final = AllBusinesses.ALL_BUSINESSES
Scope = str | AllBusinesses
"""The id of a business, or all of them."""

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


class Session(_Connection):
    """A connection whose next transaction can be given a scope."""

    _next_scope = ""

    def scope_next(self, scope: Scope | None) -> None:
        """Set the scope of the transaction to come; None takes back what was not used."""
        self._next_scope = "" if scope is None else _statement(scope)

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run statements; BEGIN takes the scope with it."""
        if query.startswith("BEGIN"):
            query, self._next_scope = query + self._next_scope, ""
        elif query.startswith("COMMIT"):
            return await self._commit(query)
        return await super().execute(query, *args, **options)

    async def _commit(self, query: str) -> str:
        """Commit; who is cancelled meanwhile hangs up, and does not ask PostgreSQL to cancel.

        That would not take the commit back: it would end PostgreSQL's wait for its standby with a
        mere warning, and show to all what is lost with the primary. So the commit goes on, and is
        seen when it is safe. (No statement_timeout applies to it.)
        """
        committing = asyncio.ensure_future(super().execute(query))
        try:
            return await asyncio.shield(committing)
        except asyncio.CancelledError:
            committing.add_done_callback(_ignore)
            self.terminate()
            raise
        finally:
            # Its failure has this frame, which must not have what has the failure.
            del committing


@contextmanager
def scoped(tx: AsyncConnection, scope: Scope) -> Iterator[None]:
    """Give the transaction that begins within the block a scope."""
    session = session_of(tx)
    session.scope_next(scope)
    try:
        yield
    finally:
        session.scope_next(None)


def session_of(tx: AsyncConnection) -> Session:
    """Return the driver's connection."""
    assert tx.sync_connection is not None, "It is open."
    session = tx.sync_connection.connection.driver_connection
    assert isinstance(session, Session)
    return session


def _ignore(ended: asyncio.Future[str]) -> None:
    """Look at how it ended: nobody else will."""
    if not ended.cancelled():
        ended.exception()


def _statement(scope: Scope) -> str:
    if isinstance(scope, AllBusinesses):
        return f"SET LOCAL ROLE {OPERATOR_ROLE}"
    quoted = scope.replace("'", "''")
    return f"SET LOCAL {BUSINESS_SETTING} = '{quoted}'"
