"""Clients of the service: one channel, and a client for each key that calls."""

from __future__ import annotations

from collections import OrderedDict

import grpc

from slotcast import Client, SlotcastError, Timeouts
from slotcast.channel import open_channel
from slotcast_mcp.server import DEADLINE_SECONDS

CLIENTS_MAX = 1000
"""So many are kept of keys that were accepted, and so many of others; the one that called longest
ago is made anew when it calls again."""
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
        self.business = business
        self._accepted: OrderedDict[str, Client] = OrderedDict()
        self._others: OrderedDict[str, Client] = OrderedDict()

    def with_key(self, api_key: str) -> Client:
        """Return the client that calls with a key."""
        kept = self._accepted if api_key in self._accepted else self._others
        client = kept.get(api_key) or self._new(api_key)
        _keep(kept, api_key, client)
        return client

    def has_accepted(self, api_key: str, client: Client) -> None:
        """Keep the client of a key that the service let in where no made-up key drives it out."""
        self._others.pop(api_key, None)
        _keep(self._accepted, api_key, self._accepted.get(api_key, client))

    async def is_accepted(self, api_key: str) -> bool | None:
        """Ask the service whether it lets a key in here; None: it cannot be told."""
        client = self.with_key(api_key)
        try:
            await client.get_business("")
        except SlotcastError as error:
            if error.reason == "KEY_INVALID":
                self._accepted.pop(api_key, None)
                self._others.pop(api_key, None)
                return False
            if error.reason != "SCOPE_MISSING":
                return True if api_key in self._accepted else None
        self.has_accepted(api_key, client)
        return True

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    def _new(self, api_key: str) -> Client:
        return Client(
            channel=self._channel,
            api_key=api_key,
            business=self.business,
            timeouts=self._timeouts,
        )


def _keep(kept: OrderedDict[str, Client], api_key: str, client: Client) -> None:
    kept[api_key] = client
    kept.move_to_end(api_key)
    while len(kept) > CLIENTS_MAX:
        kept.popitem(last=False)
