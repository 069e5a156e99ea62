"""Row-level security: the roles it stands on, the policies of each table, and that it is in force.

The policies name the roles, so these are made before the tables. Alembic's own table has no policy:
it holds no business's rows, and only its owner touches it.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.database import Database, sqlstate
from service.store.failures import RowSecurityMissing
from service.store.scope import (
    ALL_BUSINESSES,
    BUSINESS_SETTING,
    OPERATOR_ROLE,
    SERVICE_ROLE,
    session_of,
)
from service.store.tables import metadata

ROLES = (SERVICE_ROLE, OPERATOR_ROLE)
INSUFFICIENT_PRIVILEGE = "42501"

# What an operator's work needs; no customer's name is in it.
OPERATOR_MAY = {
    "businesses": "SELECT",
    "api_keys": "SELECT, INSERT, UPDATE",
    "claims": "SELECT, DELETE",
    "holds": "SELECT, DELETE",
    "changes": "SELECT, DELETE",
    "handoffs": "SELECT (business_id, handoff_id, hold_id, expires_at, erased_at), DELETE",
    "requests": "SELECT, DELETE",
    "removed_businesses": "SELECT",
    "consumers": "SELECT",
    "deliveries": "SELECT, DELETE",
    "waitlist": (
        "SELECT (business_id, entry_id, status, offer_expires_at, waits_until, ended_at), DELETE"
    ),
    "webhooks": "SELECT",
    "busy_feeds": "SELECT",
}

# Another database of the same server may be migrated at the same time: roles are the server's.
_CREATE_ROLE = """
DO $$ BEGIN
    CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_MISSING = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regrole(name) IS NULL"
_NOT_GRANTED = "SELECT name FROM unnest($1::text[]) AS name WHERE NOT pg_has_role(name, $2)"
_NOT_IN_FORCE = """
SELECT name FROM unnest($1::text[]) AS name WHERE NOT row_security_active(name) ORDER BY name
"""


def statements(table: str) -> list[str]:
    """Return what keeps the businesses of a table apart."""
    mine = f"business_id = current_setting('{BUSINESS_SETTING}', true)"
    done = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY one_business ON {table} TO {SERVICE_ROLE} USING ({mine})",
        f"CREATE POLICY all_businesses ON {table} TO {OPERATOR_ROLE} USING (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SERVICE_ROLE}",
    ]
    if table in OPERATOR_MAY:
        done.append(f"GRANT {OPERATOR_MAY[table]} ON {table} TO {OPERATOR_ROLE}")
    return done


async def ensure_roles(tx: AsyncConnection) -> None:
    """Make the roles that are missing, and let who is connected become them."""
    login = (await tx.exec_driver_sql("SELECT quote_ident(current_user)")).scalar_one()
    missing = await _names(tx, _MISSING, list(ROLES))
    # Since PostgreSQL 16 one can be a member of a role, and yet not allowed to become it.
    membership = "SET" if session_of(tx).get_server_version().major >= 16 else "MEMBER"
    try:
        for role in missing:
            await tx.exec_driver_sql(_CREATE_ROLE.format(role=role))
        for role in await _names(tx, _NOT_GRANTED, list(ROLES), membership):
            await tx.exec_driver_sql(f"GRANT {role} TO {login}")
    except DBAPIError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        raise RowSecurityMissing(
            f"PostgreSQL's user {login} may not make the roles that keep businesses apart."
            " Have an administrator run: "
            + "".join(f"CREATE ROLE {role} NOLOGIN; " for role in missing)
            + f"GRANT {', '.join(ROLES)} TO {login};"
        ) from None


async def check(database: Database) -> None:
    """Raise RowSecurityMissing unless a session sees one business at a time."""
    async with database.snapshot(ALL_BUSINESSES) as tx:
        operator = (await tx.exec_driver_sql("SELECT current_user")).scalar_one()
    async with database.snapshot("") as tx:
        service = (await tx.exec_driver_sql("SELECT current_user")).scalar_one()
        not_in_force = await _names(tx, _NOT_IN_FORCE, list(metadata.tables))
    if (service, operator) != ROLES:
        raise RowSecurityMissing(
            f"Sessions run as {service} and {operator}, not as {' and '.join(ROLES)}: something"
            " between here and PostgreSQL does not pass the parameter `role` on."
        )
    if not_in_force:
        raise RowSecurityMissing(
            f"Row-level security does not hold {service} back on {', '.join(not_in_force)}: it must"
            " not be a superuser, have BYPASSRLS or own them, nor may it have been disabled there."
        )


async def _names(tx: AsyncConnection, query: str, *values: object) -> list[str]:
    return [name for (name,) in await tx.exec_driver_sql(query, values)]
