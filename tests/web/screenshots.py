"""`python -m tests.web.screenshots FOLDER`: a picture of each state, for clients/web/README.md."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import expect

from tests.robustness.cluster.proxy import Address, FaultProxy
from tests.web.browser import a_browser
from tests.web.stack import running_web
from tests.web.states import STATES, Stage
from tests.web.visitor import a_slot, a_visitor

BYTES_MAX = 1_800_000
QUALITY = 75
PHONE, DESKTOP = 360, 1000
IN_ALL_LOOKS = {"times", "taken", "details"}
"""States that are shown in the dark and in Arabic too."""

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How wide, in which colours, in which language."""

    name: str
    width: int
    scheme: Scheme = "light"
    language: str = "en"


DRESSES: tuple[tuple[str, Scheme, str], ...] = (
    ("light", "light", "en"),
    ("dark", "dark", "en"),
    ("arabic", "light", "ar"),
)
LOOKS = [
    Look(name=f"{name}-{width}", width=width, scheme=scheme, language=language)
    for width in (PHONE, DESKTOP)
    for name, scheme, language in DRESSES
]


def looks_of(state: str, language: str) -> list[Look]:
    return [
        look
        for look in LOOKS
        if look.language == language and (state in IN_ALL_LOOKS or look.name.startswith("light"))
    ]


async def take_state(browser, stack, folder, state, looks):
    """Come to a state once, and look at it in several ways."""
    host, _, port = stack.url.removeprefix("http://").rpartition(":")
    async with (
        stack.a_shop() as shop,
        FaultProxy(Address(host, int(port))) as proxy,
        AsyncExitStack() as windows,
    ):

        async def visit(attributes=None):
            given = {"language": looks[0].language, **(attributes or {})}
            opened = a_visitor(browser, f"http://{proxy.address}", shop, "", given)
            return await windows.enter_async_context(opened)

        visitor = await STATES[state](Stage(visit=visit, shop=shop, proxy=proxy))
        for look in looks:
            await visitor.page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
            await visitor.page.set_viewport_size({"width": look.width, "height": 800})
            # Of these pictures a JPEG is a quarter smaller than a PNG.
            path = folder / f"{state}-{look.name}.jpg"
            await visitor.widget.screenshot(path=path, type="jpeg", quality=QUALITY)


async def take_demo(browser, stack, folder):
    """Take the page of the demo, where one visitor holds what the other has seen go."""
    viewport = {"width": 1000, "height": 900}
    async with stack.a_shop() as shop:
        slot = await a_slot(shop)
        opened = a_visitor(browser, stack.url, shop, "/", None, {"viewport": viewport})
        async with opened as visitor:
            widgets = visitor.page.locator(".slotcast")
            one, other = (type(visitor)(visitor.page, widgets.nth(number)) for number in range(2))
            for each in (one, other):
                await each.look_at(slot)
            await one.time(slot).click()
            await one.field("displayName").fill("Visitor A")
            await expect(other.widget.locator(".slotcast-time-leaving")).to_have_count(0)
            await visitor.page.screenshot(path=folder / "demo.png", full_page=True)


def table():
    """Return the list of states, with their pictures, as Markdown."""
    lines = ["| state | phone | desktop |", "| --- | --- | --- |"]
    for state, reach in STATES.items():
        looks = [*looks_of(state, "en"), *looks_of(state, "ar")]
        cells = [
            " ".join(
                f"[{look.name.partition('-')[0]}]({state}-{look.name}.jpg)"
                for look in looks
                if look.width == width
            )
            for width in (PHONE, DESKTOP)
        ]
        lines.append(f"| {reach.__doc__} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


async def take_all(folder):
    with tempfile.TemporaryDirectory(prefix="slotcast-") as data:
        async with running_web(Path(data)) as stack, a_browser() as browser:
            await take_demo(browser, stack, folder)
            for state in STATES:
                for language in ("en", "ar"):
                    if looks := looks_of(state, language):
                        await take_state(browser, stack, folder, state, looks)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(folder))
    (folder / "README.md").write_text("# Every state of the widget\n\n" + table())
    taken = sum(path.stat().st_size for path in folder.glob("*.*g"))
    sys.stderr.write(f"{taken / 1000:.0f} kB in {folder}\n")
    sys.exit(taken > BYTES_MAX)


if __name__ == "__main__":
    main()
