"""`slotcast-chat serve`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack
from socket import socket

import uvicorn

from slotcast import Client
from slotcast_chat.server.access import CannotServe, check_access
from slotcast_chat.server.app import build_app
from slotcast_chat.server.chat import ChatLimits, running_chat

KEY_VARIABLE = "SLOTCAST_API_KEY"
HOST = "127.0.0.1"
STOP_SECONDS_MAX = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--target", default="127.0.0.1:7420", help="where Slotcast listens")
    parser.add_argument("--business", required=True, help="the business to book at")
    parser.add_argument(
        "--port", type=int, default=7440, help="the port of the page; 0: a free one"
    )
    parser.add_argument(
        "--child",
        action="store_true",
        help="begin at the first line of standard input, and stop where that ends",
    )
    parser.add_argument(
        "--conversations-max", type=int, default=200, help="how many conversations are kept"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        sys.stderr.write(f"Set {KEY_VARIABLE} to an API key of the business.\n")
        return 2
    try:
        asyncio.run(_serve(options, key))
    except CannotServe as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(options: argparse.Namespace, key: str) -> None:
    if options.child and not await _told_to_begin():
        return
    limits = ChatLimits(conversations_max=options.conversations_max)
    async with AsyncExitStack() as stack:
        client = Client(options.target, api_key=key, business=options.business)
        await check_access(await stack.enter_async_context(client), options.business)
        chat = await stack.enter_async_context(running_chat(client, options.business, limits))
        server = PageServer(
            uvicorn.Config(
                build_app(chat),
                host=HOST,
                port=options.port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=STOP_SECONDS_MAX,
            )
        )
        serving = asyncio.create_task(server.serve())
        up = asyncio.create_task(server.is_up.wait())
        await asyncio.wait((serving, up), return_when=asyncio.FIRST_COMPLETED)
        if server.is_up.is_set():
            sys.stdout.write(f"The chat is at {server.url}\n")
            sys.stdout.flush()
        if options.child:
            await _parent_left(serving)
            server.should_exit = True
        await serving


async def _told_to_begin() -> bool:
    """Wait for a line on standard input; False: it has ended."""
    return bool(await asyncio.to_thread(os.read, sys.stdin.fileno(), 1))


async def _parent_left(serving: asyncio.Task[None]) -> None:
    """Wait until standard input ends, or serving does."""
    left = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), left.set)
    waiting = asyncio.create_task(left.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    loop.remove_reader(sys.stdin.fileno())


class PageServer(uvicorn.Server):
    """The web server: `is_up` once it listens at `url`."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Take how it is set up. Make it inside the running event loop."""
        super().__init__(config)
        self.is_up = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.servers[0].sockets[0].getsockname()[1]}/"

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.is_up.set()
