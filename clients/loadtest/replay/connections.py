"""Connections of their own, so that one replay speaks to all workers of a server at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc

from loadtest.replay.options import ReplayOptions
from slotcast import Client, Timeouts
from slotcast.channel import CHANNEL_OPTIONS, is_loopback

PATIENCE = Timeouts(attempt_seconds=10, total_seconds=60, attempts_max=10)
"""As long as a person with a chatbot would hardly wait: a server under load is slow, not wrong."""

# Otherwise channels to one target share a connection, and with it one worker.
_OWN_CONNECTION: tuple[tuple[str, int | str], ...] = (("grpc.use_local_subchannel_pool", 1),)


@asynccontextmanager
async def open_clients(
    options: ReplayOptions, business: str, count: int
) -> AsyncIterator[tuple[Client, ...]]:
    """Open so many clients, on this machine each with a connection of its own."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(count):
            channel = None
            if is_loopback(options.target):
                channel = await stack.enter_async_context(
                    grpc.aio.insecure_channel(
                        options.target, options=CHANNEL_OPTIONS + _OWN_CONNECTION
                    )
                )
            client = Client(
                options.target,
                api_key=options.api_key,
                business=business,
                channel=channel,
                timeouts=PATIENCE,
            )
            clients.append(await stack.enter_async_context(client))
        yield tuple(clients)
