"""A headless Chromium: from npm, so that nothing has to be installed by hand."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

ROOT = Path(__file__).parents[2]
WEB = ROOT / "clients" / "web"
PACKAGE = WEB / "node_modules" / "@sparticuz" / "chromium"
UNPACK = (
    "import chromium from '@sparticuz/chromium';"
    "process.stdout.write(await chromium.executablePath());"
)
UNPACK_SECONDS_MAX = 120
ARGUMENTS = [
    # Tests run as root too, in a container, and load nothing but pages of their own.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]


class NoChromium(Exception):
    """There is none, and why."""


def chromium_path() -> Path:
    """Return where Chromium lies: at CHROMIUM, or npm's, which is unpacked once."""
    given = os.environ.get("CHROMIUM")
    if given:
        return Path(given)
    if sys.platform != "linux":
        raise NoChromium("npm's Chromium is for Linux; name one in CHROMIUM")
    try:
        version = json.loads((PACKAGE / "package.json").read_text())["version"]
    except FileNotFoundError:
        raise NoChromium("clients/web/node_modules has none: run `make web`") from None
    return _unpacked(ROOT / ".tools" / f"chromium-{version}")


def _unpacked(folder: Path) -> Path:
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
                _unpack(Path(draft))
                # Whole or not at all, also where this is killed.
                Path(draft).rename(folder)
                Path(draft).mkdir()
    return folder / "chromium"


def _unpack(folder: Path) -> None:
    ended = subprocess.run(
        [_node(), "--input-type=module", "--eval", UNPACK],
        cwd=WEB,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=UNPACK_SECONDS_MAX,
    )
    if ended.returncode:
        raise NoChromium(f"npm's Chromium cannot be unpacked: {ended.stderr.strip()[-500:]}")


def _node() -> str:
    of_ours = Path(sys.executable).with_name("node")
    return str(of_ours) if of_ours.exists() else "node"


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Run Chromium until the block ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=ARGUMENTS, headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()
