"""`python -m tests.web.link_pictures FOLDER`: the page of a link, and that of the mail catcher."""

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.web.browser import a_browser
from tests.web.manage import a_booking
from tests.web.manage_states import MANAGE_STATES, Stage
from tests.web.screenshots import DESKTOP, PHONE, QUALITY
from tests.web.stack import running_web
from tests.web.visitor import a_visitor


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A state of the page, and how it is looked at."""

    state: str
    width: int = PHONE
    scheme: Literal["light", "dark"] = "light"
    language: str = "en"

    @property
    def name(self) -> str:
        """Return the name of its file."""
        looks = [self.scheme] * (self.scheme == "dark") + [self.language] * (self.language != "en")
        return "-".join(("link", self.state, *looks, str(self.width))) + ".jpg"


PICTURES = (
    Picture(state="appointment"),
    Picture(state="times", width=DESKTOP),
    Picture(state="offered", scheme="dark"),
    Picture(state="cancelling", language="ar"),
)


async def take(browser, stack, folder, picture):
    async with stack.a_shop() as shop, AsyncExitStack() as windows:

        async def visit(path, locale):
            options = {"locale": locale, "viewport": {"width": picture.width, "height": 700}}
            opened = a_visitor(browser, stack.url, shop, path, None, options)
            return await windows.enter_async_context(opened)

        stage = Stage(stack=stack, shop=shop, visit=visit, language=picture.language)
        managed = await MANAGE_STATES[picture.state](stage)
        await managed.page.emulate_media(color_scheme=picture.scheme, reduced_motion="reduce")
        path = folder / picture.name
        await managed.page.screenshot(path=path, type="jpeg", quality=QUALITY, full_page=True)


async def take_catcher(browser, stack, folder):
    """Take the page that shows what was sent, with a letter open."""
    async with stack.a_shop() as shop:
        stack.catcher.clear()
        booking = await a_booking(shop, "colouring")
        await shop.client.approve_booking(booking)
        await a_booking(shop, "haircut", number=5, language="fr")
        letter = await stack.catcher.letter(lambda letter: "kim@example.com" in letter.recipients)
        viewport = {"width": 1200, "height": 900}
        wishes = {"viewport": viewport, "reduced_motion": "reduce"}
        async with await browser.new_context(**wishes) as context:
            page = await context.new_page()
            await page.goto(stack.catcher.http_url)
            await page.locator(f'a[href="#/{letter.number}"]').click()
            await page.frame_locator("#frame").locator("a").first.wait_for()
            path = folder / "catcher.jpg"
            await page.screenshot(path=path, type="jpeg", quality=QUALITY)


async def take_all(folder):
    with tempfile.TemporaryDirectory(prefix="slotcast-") as data:
        async with running_web(Path(data)) as stack, a_browser() as browser:
            await take_catcher(browser, stack, folder)
            for picture in PICTURES:
                await take(browser, stack, folder, picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(folder))


if __name__ == "__main__":
    main()
