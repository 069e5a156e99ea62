"""A business on a real server, and the mail that comes of it at a real mail server."""

import sys

import pytest

from tests.letters.mail_server import a_mail_server
from tests.letters.mailroom import BUSINESS, Mailroom, make_business


@pytest.fixture
async def mail_server():
    """A mail server that does as it is told."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def client(server, connect):
    """A client of the business."""
    client = await connect(server, business=BUSINESS)
    await make_business(client)
    return client


@pytest.fixture
def make_mailroom(database, mail_server, settings):
    """Make a mailroom, with options of its own."""

    def make(**options):
        return Mailroom(database, mail_server, settings.token_secret.encode(), **options)

    return make


@pytest.fixture
def mailroom(make_mailroom):
    """What plans and sends letters."""
    return make_mailroom()


@pytest.fixture
def tell(request):
    """Say something to who runs the tests, also where they pass."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(line):
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n{line}\n")

    return write
