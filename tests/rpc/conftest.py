"""A server for all tests of this folder, each with a business of its own."""

from itertools import count

import pytest

from service.store.api_keys import ANY_BUSINESS
from tests.rpc.stack import Caller, lasting, loop_in_a_thread, make_shop

_numbers = count(1)


@pytest.fixture(scope="session")
def loop_thread():
    with loop_in_a_thread() as thread:
        yield thread


@pytest.fixture(scope="session")
def shared_stack(loop_thread, server_url, template_name, tmp_path_factory):
    """A server whose database lasts as long as the tests do."""
    folder = tmp_path_factory.mktemp("data")
    with lasting(loop_thread, server_url, template_name, "rpc", folder) as stack:
        yield stack


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
