"""A real server for all tests of this folder; each test has a business, and tools over HTTP."""

import asyncio
from itertools import count

import grpc
import pytest

from service.store.api_keys import ANY_BUSINESS
from tests.mcp.salon import Doors, Salon
from tests.rpc.stack import Caller, lasting, loop_in_a_thread

_numbers = count(1)
PAGES = "https://book.example"


@pytest.fixture(scope="session")
def loop_thread():
    with loop_in_a_thread() as thread:
        yield thread
        thread.run(_end_other_tasks())


@pytest.fixture(scope="session")
def stack(loop_thread, server_url, template_name, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mcp")
    with lasting(loop_thread, server_url, template_name, "mcp", folder, public_url=PAGES) as stack:
        yield stack


@pytest.fixture(scope="session")
def channel(stack):
    with grpc.insecure_channel(stack.address) as channel:
        yield channel


@pytest.fixture(scope="session")
def operator(stack, loop_thread, channel):
    return Caller(channel, loop_thread.run(stack.make_key(ANY_BUSINESS)), "nowhere")


@pytest.fixture(scope="session")
def doors(loop_thread):
    """All web servers; they are stopped at once in the end, for each takes a while."""
    doors = Doors()
    yield doors
    loop_thread.run(doors.close())


@pytest.fixture
def shop(stack, doors, loop_thread, channel, operator, server_url, template_name):
    """A business with two stylists, and its tools at an address on this machine."""
    salon = Salon(stack, loop_thread, channel, f"salon-{next(_numbers)}")
    database = template_name.replace("template", "mcp")
    salon.database_url = f"{server_url.rpartition('/')[0]}/{database}"
    salon.make(operator)
    salon.url = loop_thread.run(doors.open(stack.address, salon.business_id))
    return salon


@pytest.fixture
async def salon(shop):
    """The same, for tests with assistants."""
    yield shop
    await shop.let_assistants_go()


@pytest.fixture
def assistant(salon):
    """An assistant in a conversation of its own, that may do everything."""
    return salon.assistant()


async def _end_other_tasks():
    """The web servers leave watchers behind that end with the process."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
