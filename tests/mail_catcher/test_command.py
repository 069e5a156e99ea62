"""`slotcast mailcatcher`, as a process of its own."""

import asyncio
import re
import signal
import socket
import sys

import aiohttp
import aiosmtplib

from tests.mail_catcher.test_catching import a_letter

LINE = re.compile(r"Letters to smtp://(\S+):(\d+) are shown at\s+(http://\S+)\.")


async def a_catcher(*options):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "service", "mailcatcher", *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"COLUMNS": "200", "HOME": "/nowhere"},
    )


async def test_it_runs_alone_until_it_is_stopped():
    process = await a_catcher("--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0")
    line = (await process.stderr.readline()).decode()
    host, port, url = LINE.search(line).groups()

    await aiosmtplib.send(a_letter("Alone"), hostname=host, port=int(port))
    async with aiohttp.ClientSession(url) as http, http.get("/letters.json") as answer:
        (letter,) = (await answer.json())["letters"]
    process.send_signal(signal.SIGTERM)

    assert letter["subject"] == "Alone"
    assert await process.wait() == 0


async def test_where_its_port_is_taken_it_says_so_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = await a_catcher("--smtp", f"127.0.0.1:{port}", "--http", "127.0.0.1:0")
        _, told = await process.communicate()

    assert process.returncode == 1
    assert f"{port}" in told.decode()
    assert "Traceback" not in told.decode()


async def test_an_address_that_is_none_is_refused():
    process = await a_catcher("--smtp", "anywhere")
    _, told = await process.communicate()

    assert process.returncode == 2
    assert "must be host:port" in told.decode()
