"""The page of the mail catcher, in a browser: nobody is kept out, and no letter can do anything."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from service.mail_catcher.catcher import running_mail_catcher
from tests.mail_catcher.test_catching import a_letter, send
from tests.mail_catcher.test_looking import an_invitation
from tests.web.axe import violations
from tests.web.layout import scrolls_sideways

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = """\
<!doctype html><html><head><title>x</title><style>h1 { color: rgb(1, 2, 3) }</style></head><body>
<h1>Booked</h1><a href="https://book.example/manage/#t">Change it</a>
<img src="https://tracker.example/pixel.png" onerror="document.body.textContent = 'run'">
<script>document.body.textContent = "run"</script>
<form action="https://thief.example"><button>Log in</button></form>
<meta http-equiv="refresh" content="0; url=https://thief.example">
</body></html>
"""


@pytest_asyncio.fixture(loop_scope="session")
async def catcher():
    async with running_mail_catcher() as catcher:
        yield catcher


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser, catcher):
    async with await browser.new_context(reduced_motion="reduce") as context:
        page = await context.new_page()
        await page.goto(catcher.http_url)
        yield page


def letters(page):
    return page.get_by_role("navigation").get_by_role("link")


async def test_a_letter_appears_while_one_looks(catcher, page):
    await expect(page.get_by_text("No letter yet")).to_be_visible()

    await send(catcher, a_letter("One"))
    await expect(letters(page)).to_have_count(1)
    await send(catcher, a_letter("Two"))

    await expect(letters(page).first).to_contain_text("Two")
    await expect(page.get_by_role("status")).to_have_text("New: Two")


async def test_all_parts_of_a_letter_are_reached_by_keyboard(catcher, page):
    await send(catcher, an_invitation())
    await letters(page).first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Booked")).to_be_focused()
    tab = page.get_by_role("tab", selected=True)
    await expect(tab).to_have_text("Letter")

    await tab.focus()
    seen = []
    for _ in range(4):
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("tab", selected=True)).to_be_focused()
        seen.append(await page.get_by_role("tabpanel").inner_text())

    text, calendar, headers, source = seen
    assert "Bis bald" in text
    assert "REQUEST: put it into the calendar" in calendar
    assert "kim@example.org" in headers
    assert "BEGIN:VEVENT" in source


async def test_a_letter_runs_nothing_loads_nothing_and_leads_nowhere_by_itself(catcher, page):
    message = a_letter("Evil")
    message.add_alternative(EVIL, subtype="html")
    refused = []
    page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    answered = []
    page.on("response", lambda response: answered.append(response.url))
    await send(catcher, message)
    await letters(page).first.click()

    inside = page.frame_locator("#frame")
    await expect(inside.get_by_role("heading")).to_have_css("color", "rgb(1, 2, 3)")
    await inside.get_by_role("button").click()
    await expect(inside.get_by_role("heading")).to_have_text("Booked")

    assert [url for url in answered if not url.startswith(catcher.http_url)] == []
    assert refused == [("https://tracker.example/pixel.png", "csp")]


async def test_a_link_in_a_letter_opens_a_page_of_its_own(catcher, page):
    message = a_letter("Link")
    url = f"{catcher.http_url}/#in-the-letter"
    message.add_alternative(f'<a href="{url}">Change it</a>', subtype="html")
    await send(catcher, message)
    await letters(page).first.click()

    async with page.context.expect_page() as opened:
        await page.frame_locator("#frame").get_by_role("link").click()

    await expect(await opened.value).to_have_url(url)
    # Of a page that shows letters it could otherwise do anything.
    assert await (await opened.value).evaluate("window.opener") is None


async def test_deleted_letters_are_gone_from_the_page(catcher, page):
    await send(catcher, a_letter())
    await letters(page).first.click()

    await page.get_by_role("button", name="Delete all").click()

    await expect(page.get_by_text("No letter yet")).to_be_visible()
    assert catcher.letters == ()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_of_letters_keeps_nobody_out_and_fits_its_window(
    catcher, page, width, scheme
):
    await page.set_viewport_size({"width": width, "height": 700})
    await page.emulate_media(color_scheme=scheme)
    found = [await violations(page)]
    await send(catcher, an_invitation())
    await expect(letters(page)).to_have_count(1)
    found.append(await violations(page))
    await letters(page).first.click()
    await expect(page.get_by_role("heading", name="Booked")).to_be_visible()
    for name in ("Letter", "Text", "Calendar", "Headers", "Source"):
        await page.get_by_role("tab", name=re.compile(name)).click()
        found.append(await violations(page))
        found.append(
            [line for line in await scrolls_sideways(page) if not line.startswith("div.tabs")]
        )

    assert [lines for lines in found if lines] == []
