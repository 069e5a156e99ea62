"""A scripted server, a clock that the test moves, and a client of both."""

import pytest

from slotcast import Client, Timeouts
from tests.clients.scripted import scripted_server
from tests.clients.set_clock import SetClock


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
async def script():
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def client(script, clock):
    async with Client(
        script.target, api_key="k.secret", business="salon", timeouts=Timeouts(clock=clock)
    ) as client:
        yield client
