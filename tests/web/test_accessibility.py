"""Every screen in every state: axe finds nothing, and nothing scrolls sideways."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.web.axe import violations
from tests.web.layout import scrolls_sideways
from tests.web.manage_states import MANAGE_STATES
from tests.web.manage_states import Stage as LinkStage
from tests.web.states import STATES, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = (320, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("name", STATES)
async def test_a_screen_keeps_nobody_out_and_fits_its_window(name, language, visit, shop, proxy):
    async def open_page(attributes=None):
        given = {"language": language, **(attributes or {})}
        return await visit(url=f"http://{proxy.address}", attributes=given)

    visitor = await STATES[name](Stage(visit=open_page, shop=shop, proxy=proxy))

    assert await look_around(visitor.page) == {}


async def look_around(page):
    """Return what axe finds, and what scrolls sideways, at each width and in each scheme."""
    found = {}
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        found[f"{width}"] = await scrolls_sideways(page)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            found[f"{scheme} {width}"] = await violations(page)
    return {look: lines for look, lines in found.items() if lines}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("name", MANAGE_STATES)
async def test_the_page_of_a_link_keeps_nobody_out_and_fits_its_window(
    name, language, visit, stack, shop
):
    stage = LinkStage(stack=stack, shop=shop, visit=visit, language=language)
    managed = await MANAGE_STATES[name](stage)
    direction = "rtl" if language == "ar" else "ltr"
    await expect(managed.page.locator("html")).to_have_attribute("dir", direction)

    assert await look_around(managed.page) == {}
