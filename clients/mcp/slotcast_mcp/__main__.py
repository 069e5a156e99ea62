"""`slotcast-mcp`: the tools over stdio, for one assistant, or over HTTP, for many."""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from mcp.server.stdio import stdio_server

from slotcast_mcp.clients import Clients
from slotcast_mcp.ids import SLUG
from slotcast_mcp.server import DEADLINE_SECONDS, build_server
from slotcast_mcp.web import SESSIONS_MAX, Door, WebServer

KEY_VARIABLE = "SLOTCAST_API_KEY"
_PORT_MAX = 65_535
_SESSIONS_LIMIT = 100_000
_DEADLINE_SECONDS_LIMIT = 600.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, and serve until the client leaves or the process is stopped."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    if options.http:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve_http(options))
        return
    api_key = os.environ.get(KEY_VARIABLE, "").strip()
    if not api_key:
        sys.exit(f"Set {KEY_VARIABLE} to an API key of the business.")
    # What reads from a client cannot be stopped while that is silent: end at once, as by SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(_serve_stdio(options, api_key))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slotcast-mcp",
        description="Slotcast as tools of the Model Context Protocol.",
        epilog=(
            f"Over stdio the API key is read from {KEY_VARIABLE}; over HTTP it is the bearer of"
            " each request."
        ),
    )
    parser.add_argument(
        "--target", type=_address, default="127.0.0.1:7420", help="where Slotcast listens"
    )
    parser.add_argument("--business", type=_business, required=True, help="the business to book at")
    parser.add_argument(
        "--insecure", action="store_true", help="call a Slotcast elsewhere without TLS"
    )
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP, not stdio")
    parser.add_argument(
        "--host", type=_address, default="127.0.0.1", help="the address to serve HTTP on"
    )
    parser.add_argument("--port", type=_port, default=8765, help="the port; 0: a free one")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which browsers and proxies may call it; may be repeated",
    )
    parser.add_argument(
        "--sessions-max",
        type=_sessions,
        default=SESSIONS_MAX,
        help="how many sessions may be open at a time",
    )
    parser.add_argument(
        "--deadline-seconds",
        type=_seconds,
        default=DEADLINE_SECONDS,
        help="how long a call may take (default: %(default)s, for assistants that speak)",
    )
    return parser


def _business(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id of a business, such as salon")
    return text


def _address(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def _port(text: str) -> int:
    return _whole(text, 0, _PORT_MAX)


def _sessions(text: str) -> int:
    return _whole(text, 1, _SESSIONS_LIMIT)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _DEADLINE_SECONDS_LIMIT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time over 0 and up to {_DEADLINE_SECONDS_LIMIT:.0f} s"
        )
    return seconds


def _clients(options: argparse.Namespace) -> Clients:
    return Clients(
        options.target,
        options.business,
        insecure=options.insecure,
        deadline_seconds=options.deadline_seconds,
    )


async def _serve_stdio(options: argparse.Namespace, api_key: str) -> None:
    clients = _clients(options)
    client = clients.with_key(api_key)
    server = build_server(lambda _: client, clients.deadline_seconds, business=clients.business)
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        await clients.close()


async def _serve_http(options: argparse.Namespace) -> None:
    door = Door(
        host=options.host,
        port=options.port,
        allowed_hosts=tuple(options.allowed_host),
        sessions_max=options.sessions_max,
    )
    try:
        listening = door.open()
    except OSError as error:
        cause = (error.strerror or "it is refused").partition(" (")[0]
        sys.exit(f"Cannot listen on {door.host}, port {door.port}: {cause}.")
    clients = _clients(options)
    server = WebServer(clients, door)
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve(sockets=[listening]))
            await server.is_up.wait()
            sys.stderr.write(f"Slotcast's tools are at {server.url}\n")
            if not door.is_loopback:
                sys.stderr.write("API keys come in the clear: put a proxy with TLS before it.\n")
            await serving
    finally:
        await clients.close()


if __name__ == "__main__":
    main()
