"""Real servers for the tests: PostgreSQL and Valkey, embedded or one's own, and a database per test."""

import asyncio
import os
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey
from service.store.database import Database
from service.store.migrate import migrate

_numbers = count(1)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory):
    """The URL of a PostgreSQL server, of its maintenance database."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("postgres")
    with Postgres(folder, durable=False, shared_buffers="64MB") as server:
        yield server.dsn()


@pytest.fixture(scope="session")
def template_name(server_url, worker_id):
    """A migrated database that each test's own is copied from."""
    name = f"slotcast_{os.getpid()}_{worker_id}_template"
    asyncio.run(_make_template(server_url, name))
    yield name
    asyncio.run(_run(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(server_url, template_name):
    """The URL of a fresh, migrated database."""
    name = template_name.replace("template", str(next(_numbers)))
    asyncio.run(_run(server_url, f"CREATE DATABASE {name} TEMPLATE {template_name}"))
    yield _with_database(server_url, name)
    asyncio.run(_run(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url):
    """A fresh, migrated database, through a pool of this test's loop."""
    database = Database(database_url, pool_size=6)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """The URL of a Valkey or Redis server."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with Valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


async def _make_template(server_url, name):
    await _run(server_url, f"CREATE DATABASE {name}")
    database = Database(_with_database(server_url, name), pool_size=1)
    await migrate(database)
    await database.close()


async def _run(server_url, statement):
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(url, name):
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
