"""Every screen in every state: axe finds nothing, and nothing scrolls sideways."""

from typing import Literal

import pytest

from tests.web.axe import violations
from tests.web.layout import scrolls_sideways
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
    found = {}
    for width in WIDTHS:
        await visitor.page.set_viewport_size({"width": width, "height": 800})
        found[f"{width}"] = await scrolls_sideways(visitor.page)
        for scheme in SCHEMES:
            await visitor.page.emulate_media(color_scheme=scheme)
            found[f"{scheme} {width}"] = await violations(visitor.page)

    assert {look: lines for look, lines in found.items() if lines} == {}
