"""`python -m tests.letters.pictures FOLDER`: a picture of each letter, for docs/letters.md."""

import argparse
import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from service.domain.booking import BookingStatus
from service.notify.letters.content import content_of
from service.notify.letters.facts import LetterKind
from service.notify.letters.rendering import html_of
from tests.letters import samples
from tests.web.browser import a_browser

BYTES_MAX = 1_800_000
QUALITY = 62
PHONE, DESKTOP = 375, 760

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How wide, in which colours, in which language."""

    name: str
    width: int
    scheme: Scheme = "light"
    language: str = "en"


ALWAYS = (
    Look(name="phone", width=PHONE),
    Look(name="desktop", width=DESKTOP),
)
MORE = {
    "confirmation": (
        Look(name="dark-phone", width=PHONE, scheme="dark"),
        Look(name="dark-desktop", width=DESKTOP, scheme="dark"),
        Look(name="arabic-phone", width=PHONE, language="ar"),
        Look(name="arabic-desktop", width=DESKTOP, language="ar"),
        Look(name="french-phone", width=PHONE, language="fr"),
    ),
    "pending": (Look(name="dark-phone", width=PHONE, scheme="dark"),),
    "rescheduled": (
        Look(name="dark-phone", width=PHONE, scheme="dark"),
        Look(name="german-phone", width=PHONE, language="de"),
    ),
    "cancelled": (Look(name="dark-phone", width=PHONE, scheme="dark"),),
    "waitlist_offer": (Look(name="arabic-phone", width=PHONE, scheme="dark", language="ar"),),
}
"""Letters that are shown in the dark and in other languages too."""


def letters():
    """Return each letter by the name of its picture."""
    shown = {kind.value: samples.a_letter(kind) for kind in LetterKind}
    # Seen from another zone, with an answer in the calendar that cancels.
    shown["confirmation"] = replace(
        shown["confirmation"], zone="America/New_York", replies_cancel=True
    )
    shown["cancelled"] = replace(shown["cancelled"], reason="Anna is ill. We are sorry!")
    *others, last = samples.several().appointments
    waits = replace(last, status=BookingStatus.PENDING)
    shown["several"] = samples.several(appointments=(*others, waits))
    shown["staff_confirmation"] = samples.a_staff_letter()
    shown["staff_pending"] = samples.a_staff_letter(LetterKind.PENDING)
    shown["staff_cancelled"] = samples.a_staff_letter(LetterKind.CANCELLED, moved_away=True)
    return shown


def looks_of(name):
    """Return in which ways a letter is shown."""
    return (*ALWAYS, *MORE.get(name, ()))


async def take_all(folder):
    """Take every letter in each of its looks."""
    async with a_browser() as browser:
        for name, letter in letters().items():
            for look in looks_of(name):
                content = content_of(replace(letter, languages=(look.language,)))
                page = await browser.new_page(
                    viewport={"width": look.width, "height": 400},
                    color_scheme=look.scheme,
                    device_scale_factor=1,
                )
                await page.set_content(html_of(content))
                path = folder / f"{name}-{look.name}.jpg"
                await page.screenshot(path=path, type="jpeg", quality=QUALITY, full_page=True)
                await page.close()


def table():
    """Return the list of letters, with their pictures, as Markdown."""
    lines = ["| letter | pictures |", "| --- | --- |"]
    for name in letters():
        cells = " ".join(f"[{look.name}]({name}-{look.name}.jpg)" for look in looks_of(name))
        lines.append(f"| {name.replace('_', ' ')} | {cells} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(folder))
    (folder / "README.md").write_text("# Every letter\n\n" + table())
    taken = sum(path.stat().st_size for path in folder.glob("*.jpg"))
    sys.stderr.write(f"{taken / 1000:.0f} kB in {folder}\n")
    sys.exit(taken > BYTES_MAX)


if __name__ == "__main__":
    main()
