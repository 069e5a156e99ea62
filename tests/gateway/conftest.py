"""An Envoy before a server, for all tests of this folder, each with a business of its own."""

from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import grpc
import pytest

from service.embedded.envoy import Envoy
from service.gateway.config import envoy_yaml, write_files
from service.store.api_keys import ANY_BUSINESS
from tests.gateway.requests import a_window
from tests.gateway.web import Web
from tests.rpc.stack import Caller, lasting, loop_in_a_thread, make_shop

_numbers = count(1)
ORIGIN = "https://salon.example"


@pytest.fixture(scope="session")
def loop_thread():
    with loop_in_a_thread() as thread:
        yield thread


@pytest.fixture(scope="session")
def stack(loop_thread, server_url, template_name, tmp_path_factory):
    """A server whose database lasts as long as the tests do."""
    folder = tmp_path_factory.mktemp("data")
    with lasting(loop_thread, server_url, template_name, "gateway", folder) as stack:
        yield stack


@pytest.fixture(scope="session")
def make_envoy(tmp_path_factory):
    """Return a maker of gateways before a port; whoever makes one starts and stops it."""

    def make(service_port, **options):
        folder = tmp_path_factory.mktemp("gateway")
        write_files(folder)

        def configure(port):
            return envoy_yaml(
                listen=("127.0.0.1", port),
                service=("127.0.0.1", service_port),
                origins=[ORIGIN],
                folder=folder,
                **options,
            )

        return Envoy(folder, configure)

    return make


@pytest.fixture(scope="session")
def envoy(make_envoy, stack):
    with make_envoy(int(stack.address.rpartition(":")[2])) as envoy:
        yield envoy


@pytest.fixture
def web(envoy):
    """Who has no key."""
    return Web(envoy.port)


class Shop(NamedTuple):
    """A business that is open day and night, as a caller over gRPC and over HTTP sees it."""

    caller: Caller
    web: Web
    path: str


@contextmanager
def a_shop(envoy, stack, loop_thread, business_id):
    """Yield a business of a name."""
    with grpc.insecure_channel(stack.address) as channel:
        operator = Caller(channel, loop_thread.run(stack.make_key(ANY_BUSINESS)), "nowhere")
        make_shop(operator, business_id)
        key = loop_thread.run(stack.make_key(business_id))
        caller = Caller(channel, key, business_id)
        yield Shop(caller, Web(envoy.port, key), f"/v1/businesses/{business_id}")


@pytest.fixture
def shop(envoy, stack, loop_thread):
    with a_shop(envoy, stack, loop_thread, f"web-{next(_numbers)}") as shop:
        yield shop


@pytest.fixture
def slots(shop):
    """Ask for the slots of a day, with the tag of an answer before it."""

    def ask(tag=None, **query):
        headers = {"if_none_match": tag} if tag else {}
        return shop.web.get(f"{shop.path}/slots", a_window(**query), **headers)

    # The first answer of a business that is not in memory has no tag.
    while "etag" not in ask().headers:
        pass
    return ask
