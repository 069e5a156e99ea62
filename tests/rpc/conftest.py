"""A server for all tests of this folder, each with a business of its own."""

import asyncio
from itertools import count

import asyncpg
import pytest

from service.store.api_keys import ANY_BUSINESS
from tests.rpc.stack import Caller, LoopThread, make_shop, running

_numbers = count(1)


@pytest.fixture(scope="session")
def loop_thread():
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def shared_stack(loop_thread, server_url, template_name, tmp_path_factory):
    """A server whose database lasts as long as the tests do."""
    name = template_name.replace("template", "rpc")

    async def execute(statement):
        connection = await asyncpg.connect(server_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name} TEMPLATE {template_name}"))

    url = server_url.rpartition("/")[0] + f"/{name}"
    context = running(url, tmp_path_factory.mktemp("data"), key_cache_seconds=0.0)
    yield loop_thread.run(context.__aenter__())
    loop_thread.run(context.__aexit__(None, None, None))
    asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


# pytest-grpc starts a server with threads; these start ours, and let it choose the port.


@pytest.fixture(scope="module")
def grpc_server(shared_stack):
    return shared_stack.server


@pytest.fixture(scope="module")
def grpc_addr(shared_stack):
    return shared_stack.address


@pytest.fixture(scope="module")
def operator(shared_stack, loop_thread, grpc_channel):
    """A caller with every scope for every business."""
    key = loop_thread.run(shared_stack.make_key(ANY_BUSINESS))
    return Caller(grpc_channel, key, "nowhere")


@pytest.fixture(scope="module")
def stranger(shared_stack, loop_thread, grpc_channel):
    """A caller with every scope for another business than the tests'."""
    key = loop_thread.run(shared_stack.make_key("other"))
    return Caller(grpc_channel, key, "other")


@pytest.fixture
def make_caller(shared_stack, loop_thread, grpc_channel):
    """Return a maker of callers: for a business, with scopes."""

    def make(business_id, *scopes):
        given = {"scopes": scopes} if scopes else {}
        key = loop_thread.run(shared_stack.make_key(business_id, **given))
        return Caller(grpc_channel, key, business_id)

    return make


@pytest.fixture
def shop(operator, make_caller):
    """A business that is open day and night, and a caller with all scopes for it."""
    business_id = f"shop-{next(_numbers)}"
    make_shop(operator, business_id)
    return make_caller(business_id)


@pytest.fixture
def nobody(grpc_channel):
    """A caller without a key."""
    return Caller(grpc_channel, "", "demo")
