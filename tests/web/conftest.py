"""A real stack with the built pages, a browser, and visitors in windows of their own.

All of it lives in one loop, that of the session: what is here is slow to start.
"""

import os
import sys
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.robustness.cluster.proxy import Address, FaultProxy
from tests.web.browser import NoChromium, a_browser, chromium_path
from tests.web.stack import PAGES, running_web
from tests.web.visitor import a_visitor


@pytest.fixture(scope="session")
def needs_chromium(request):
    """Tell loudly that there is none; in CI that is a failure."""
    try:
        return chromium_path()
    except NoChromium as error:
        told = f"NOT TESTED: the widget in a browser. There is no Chromium: {error}."
        if os.environ.get("CI"):
            pytest.fail(told)
        _write(request.config, f"*** {told} ***")
        pytest.skip(f"no Chromium: {error}")


def _write(config, line):
    """Write to who runs the tests, also where they pass."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sys.stderr.write(f"\n{line}\n")


@pytest.fixture
def tell(request):
    """Say what was measured. How fast it was is for nobody here to judge."""
    return lambda line: _write(request.config, line)


@pytest.fixture(scope="session")
def built_pages():
    if not (PAGES / "index.html").exists():
        pytest.fail("The pages are not built: run `make web`.")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(needs_chromium):
    async with a_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(needs_chromium, built_pages, tmp_path_factory):
    async with running_web(tmp_path_factory.mktemp("web")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def shop(stack):
    """A business of this test."""
    async with stack.a_shop() as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(stack):
    """A way to the gateway that can be broken; the pages come by it too."""
    host, _, port = stack.url.removeprefix("http://").rpartition(":")
    async with FaultProxy(Address(host, int(port))) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser, stack, shop):
    """Open a page for a visitor, in a window of their own; all are closed after the test."""
    async with AsyncExitStack() as windows:

        async def open_page(path="", *, url=stack.url, shop=shop, attributes=None, **options):
            visitor = a_visitor(browser, url, shop, path, attributes, options)
            return await windows.enter_async_context(visitor)

        yield open_page
