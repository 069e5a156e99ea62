"""Real servers for the tests, embedded or one's own, and a database for each test."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from service.cli.api_key import SCOPES, new_key
from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey
from service.settings import Settings
from service.store import api_keys
from service.store.api_keys import ANY_BUSINESS
from service.store.database import Database
from service.store.migrate import migrate
from service.store.scope import ALL_BUSINESSES
from service.wiring import built_server
from slotcast import Client
from tests.salon import make_salon

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
    """A fresh, migrated database, as the service sees it: one business at a time."""
    database = Database(database_url, pool_size=6)
    yield database
    await database.close()


@pytest.fixture
async def owner(database_url):
    """The same as its owner sees it: all businesses, and the tables themselves."""
    database = Database(database_url, pool_size=2, role=None)
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
    await migrate(_with_database(server_url, name))


async def _run(server_url, statement):
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(url, name):
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture
def settings(database_url, redis_url, tmp_path):
    """The settings of a server on this test's database."""
    return Settings(
        data_folder=tmp_path,
        database_url=database_url,
        redis_url=redis_url,
        listen_address="127.0.0.1:0",
        token_secret="a secret that all servers of a test share",
        heartbeat_seconds=0.5,
        drain_seconds=5,
    )


@pytest.fixture
async def operator_key(database):
    """A key that may do everything."""
    key, text = new_key(ANY_BUSINESS, "operator", frozenset(SCOPES))
    async with database.transaction(ALL_BUSINESSES) as tx:
        await api_keys.add(tx, key)
    return text


@pytest.fixture
async def start_server(settings):
    """Start a server in this process, as often as it is called; returns where it listens."""
    async with AsyncExitStack() as stack:

        async def start(**changes):
            built = built_server(replace(settings, **changes), reuse_port=False)
            target, _ = await stack.enter_async_context(built)
            return target

        yield start


@pytest.fixture
async def server(start_server):
    """Where a server listens."""
    return await start_server()


@pytest.fixture
async def connect(operator_key):
    """Open SDK clients of one business; all are closed after the test."""
    async with AsyncExitStack() as stack:

        async def open_client(target, business="salon", api_key=None):
            client = Client(target, api_key=api_key or operator_key, business=business)
            return await stack.enter_async_context(client)

        yield open_client


@pytest.fixture
async def salon(server, connect):
    """A client of a business with two chairs and a room, always open, on a server."""
    client = await connect(server)
    await make_salon(client)
    return client
