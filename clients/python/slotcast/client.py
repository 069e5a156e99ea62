"""The client: what one opens, and asks everything."""

from __future__ import annotations

import re
from copy import copy
from types import TracebackType
from typing import Self

import grpc

from slotcast.availability_methods import AvailabilityMethods
from slotcast.booking_methods import BookingMethods
from slotcast.calls import Calls
from slotcast.catalog_methods import CatalogMethods
from slotcast.channel import Connection, open_channel
from slotcast.delivery_methods import DeliveryMethods
from slotcast.feed_methods import FeedMethods
from slotcast.handoff_methods import HandoffMethods
from slotcast.hours_methods import HoursMethods
from slotcast.names import Names
from slotcast.series_methods import SeriesMethods
from slotcast.spoken_time_methods import SpokenTimeMethods
from slotcast.timeouts import Timeouts
from slotcast.waitlist_methods import WaitlistMethods
from slotcast.webhook_methods import WebhookMethods

_CLIENT_ID_NAME = "x-client-id"
_CLIENT_ID = re.compile(r"[!-~]+")
_CLIENT_ID_MAX = 128


class Client(
    AvailabilityMethods,
    SpokenTimeMethods,
    BookingMethods,
    SeriesMethods,
    WaitlistMethods,
    HandoffMethods,
    CatalogMethods,
    HoursMethods,
    FeedMethods,
    DeliveryMethods,
    WebhookMethods,
):
    """Talks to a Slotcast server, for one business; any number of tasks may share it.

        async with Client("booking.example:443", api_key=key, business="salon") as client:
            page = await client.list_slots(SlotQuery(start=monday, end=tuesday))

    One method per RPC. Names may be short ids (`anna`) or full (`businesses/salon/calendars/anna`);
    instants are aware datetimes. Every call has a deadline; what may be tried again is, with the
    same `request_id`, within `timeouts`. Every error is a SlotcastError.
    """

    def __init__(
        self,
        target: str = "",
        *,
        api_key: str | None = None,
        business: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        insecure: bool = False,
        channel: grpc.aio.Channel | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Open a channel to `target`, or use the given one, which stays the caller's to close.

        Without credentials: TLS by the system's roots; in the clear on this machine's own
        addresses, and elsewhere only if `insecure`. Make it inside the running event loop.
        """
        if channel is None and not target:
            raise ValueError("Name a target or hand in a channel.")
        self._owned_channel = None
        if channel is None:
            channel = self._owned_channel = open_channel(target, credentials, insecure=insecure)
        metadata = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        calls = Calls(metadata, timeouts or Timeouts())
        super().__init__(Connection(channel, calls, Names(business)))

    def for_business(self, business: str) -> Client:
        """Return a client of another business over this one's channel."""
        return self._sharing(self._connection.sharing(names=Names(business)))

    def with_timeouts(self, timeouts: Timeouts) -> Client:
        """Return a client with other patience over this one's channel."""
        calls = Calls(self._connection.calls.metadata, timeouts)
        return self._sharing(self._connection.sharing(calls=calls))

    def with_client_id(self, client_id: str) -> Client:
        """Return a client that the server tells from others with its key, over this one's channel.

        A server that limits how much a key may ask shares that among its clients by this id: give
        one to each person that a chat speaks for, and no person's name. ValueError: it is not 1 to
        128 characters of printable ASCII.
        """
        if not (1 <= len(client_id) <= _CLIENT_ID_MAX and _CLIENT_ID.fullmatch(client_id)):
            raise ValueError(f"The id of a client is 1 to {_CLIENT_ID_MAX} of printable ASCII.")
        calls = self._connection.calls
        others = (entry for entry in calls.metadata if entry[0] != _CLIENT_ID_NAME)
        named = Calls((*others, (_CLIENT_ID_NAME, client_id)), calls.timeouts)
        return self._sharing(self._connection.sharing(calls=named))

    async def close(self) -> None:
        """Close the channel, if it is this client's own; what is under way on it is cancelled."""
        if self._owned_channel is not None:
            await self._owned_channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _sharing(self, connection: Connection) -> Client:
        client = copy(self)
        client._owned_channel = None
        client._connection = connection
        return client
