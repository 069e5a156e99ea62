"""Clients of the service: one channel, and a client for each key that calls."""

from __future__ import annotations

from collections import OrderedDict

import grpc

from slotcast import Client, Timeouts
from slotcast.channel import open_channel
from slotcast_mcp.server import DEADLINE_SECONDS

CLIENTS_MAX = 1000
"""So many are kept; the one that called longest ago is made anew when it calls again."""
_ATTEMPTS_MAX = 3
_BACK_OFF_SECONDS_MAX = 0.5


class Clients:
    """Makes the clients of one business. Make it inside the running event loop."""

    def __init__(
        self,
        target: str,
        business: str,
        *,
        insecure: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """Open the channel that all of them share."""
        self.deadline_seconds = deadline_seconds
        self._timeouts = Timeouts(
            attempt_seconds=deadline_seconds,
            total_seconds=deadline_seconds,
            attempts_max=_ATTEMPTS_MAX,
            back_off_seconds_max=_BACK_OFF_SECONDS_MAX,
        )
        self._channel: grpc.aio.Channel = open_channel(target, None, insecure=insecure)
        self._business = business
        self._clients: OrderedDict[str, Client] = OrderedDict()

    def with_key(self, api_key: str) -> Client:
        """Return the client that calls with a key."""
        client = self._clients.pop(api_key, None)
        if client is None:
            client = Client(
                channel=self._channel,
                api_key=api_key,
                business=self._business,
                timeouts=self._timeouts,
            )
        self._clients[api_key] = client
        while len(self._clients) > CLIENTS_MAX:
            self._clients.popitem(last=False)
        return client

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()
