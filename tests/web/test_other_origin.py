"""A shop's page on an origin of its own: the script tag and the element, as they are documented."""

from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import pytest_asyncio

from tests.web.visitor import a_slot, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/shop.html"
PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Salon</title>
    <link rel="icon" href="data:,">
    <script type="module" src="{url}/element/slotcast-booking.js"></script>
  </head>
  <body>
    <main>
      <slotcast-booking url="{url}" api-key="{key}" business="{business}"></slotcast-booking>
    </main>
  </body>
</html>
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *args):
        pass


@contextmanager
def serving(folder):
    """Serve a folder at a port of its own, which makes it another origin than the gateway's."""
    handler = partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest_asyncio.fixture(loop_scope="session")
async def shop_page(stack, shop, tmp_path):
    """The address of the shop's own server."""
    texts = {"url": stack.url, "key": shop.page_key, "business": shop.business}
    filled = {name: escape(text) for name, text in texts.items()}
    (tmp_path / PATH.removeprefix("/")).write_text(PAGE.format(**filled))
    with serving(tmp_path) as url:
        yield url


async def test_a_page_of_another_origin_books_by_one_script_tag(shop_page, stack, visit, shop):
    slot = await a_slot(shop)
    visitor = await visit(PATH, url=shop_page)

    await visitor.pick()
    await visitor.choose(slot)
    await visitor.book()
    await visitor.sees_it_booked()

    (booking,) = await stored_bookings(shop)
    assert booking.start == slot.start
    origin = await visitor.page.evaluate("location.origin")
    assert origin == shop_page
    assert origin != stack.url
    assert not visitor.complaints
