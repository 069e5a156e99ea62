"""A clock of PostgreSQL that can be set: for its sessions `now()` and its like are ours.

They are functions of the same names in a schema that is searched before `pg_catalog`, and keep the
volatility of those that they hide, so that plans are the same. They add what stands in a table of
one row. Who sets it is READ COMMITTED, so no serializable transaction can be in conflict with it;
one that has begun keeps the clock that it began with, as it keeps all else.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

SCHEMA = "stepped"
VOLATILITIES = {
    "now": "STABLE",
    "transaction_timestamp": "STABLE",
    "statement_timestamp": "STABLE",
    "clock_timestamp": "VOLATILE",
}

_TABLE = f"""
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.clock (step interval NOT NULL);
INSERT INTO {SCHEMA}.clock VALUES ('0');
GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC;
GRANT SELECT ON {SCHEMA}.clock TO PUBLIC;
"""
_FUNCTION = """
CREATE FUNCTION {schema}.{name}() RETURNS timestamptz LANGUAGE sql {volatility} PARALLEL SAFE
RETURN pg_catalog.{name}() + (SELECT step FROM {schema}.clock);
"""
# A default was bound to the function of its day when the table was made.
_DEFAULTS = """
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT {schema}.now()', attrelid::regclass,
              attname)
FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE pg_get_expr(adbin, adrelid) = 'now()'
"""
_SEARCH_PATH = """
SELECT format('ALTER DATABASE %I SET search_path = {schema}, pg_catalog, public',
              current_database())
"""


async def install(connection: asyncpg.Connection) -> None:
    """Let sessions that come from now on see the clock that can be set."""
    defaults = await connection.fetch(_DEFAULTS.format(schema=SCHEMA))
    await connection.execute(_TABLE)
    for name, volatility in VOLATILITIES.items():
        await connection.execute(_FUNCTION.format(schema=SCHEMA, name=name, volatility=volatility))
    for (statement,) in defaults:
        await connection.execute(statement)
    await connection.execute(await connection.fetchval(_SEARCH_PATH.format(schema=SCHEMA)))


async def set_clock(connection: asyncpg.Connection, offset: timedelta) -> None:
    """Let the clock show so much more than that of the machine, from now on."""
    await connection.execute(f"UPDATE {SCHEMA}.clock SET step = $1", offset)
