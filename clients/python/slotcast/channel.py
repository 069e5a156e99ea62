"""The connection to a server."""

from __future__ import annotations

from copy import copy
from ipaddress import ip_address

import grpc

from slotcast.calls import Calls
from slotcast.names import Names
from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub
from slotcast.v1.catalog_service_pb2_grpc import CatalogServiceStub
from slotcast.v1.notification_service_pb2_grpc import NotificationServiceStub

_MEBIBYTE = 1024 * 1024

CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    # A server refuses pings that come more often than it allows; ours allows one in 10 s.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Without these, a stopped reader leaves megabytes of outdated frames on their way to it.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_535),
    # A page of bookings with long answers is the largest message there is.
    ("grpc.max_receive_message_length", 32 * _MEBIBYTE),
    ("grpc.max_send_message_length", _MEBIBYTE),
    # The client retries by itself, with the same request_id and within one deadline.
    ("grpc.enable_retries", 0),
    # gRPC's own pause between connections grows to two minutes: a watch would be stale for as long.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.primary_user_agent", "slotcast-python"),
)


def open_channel(
    target: str, credentials: grpc.ChannelCredentials | None, *, insecure: bool
) -> grpc.aio.Channel:
    """Open a channel: TLS with the system's roots, unless told otherwise or on this machine."""
    if credentials is None and (insecure or is_loopback(target)):
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(
        target, credentials or grpc.ssl_channel_credentials(), options=CHANNEL_OPTIONS
    )


def is_loopback(target: str) -> bool:
    """Tell whether nobody but this machine can hear what is sent to a target."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    address = target.removeprefix("dns:").removeprefix("ipv4:").removeprefix("ipv6:")
    host = address.removeprefix("///").rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Connection:
    """What every method of a client needs: the services, how to call them, how names are said."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls, names: Names) -> None:
        """Open no channel: one is shared by all connections of a client."""
        self.channel = channel
        self.calls = calls
        self.names = names
        self.availability = AvailabilityServiceStub(channel)
        self.notifications = NotificationServiceStub(channel)
        self.bookings = BookingServiceStub(channel)
        self.catalog = CatalogServiceStub(channel)

    def sharing(self, *, calls: Calls | None = None, names: Names | None = None) -> Connection:
        """Return one over the same channel and services, with other calls or names."""
        other = copy(self)
        other.calls = calls or self.calls
        other.names = names or self.names
        return other


class Connected:
    """Some of the methods of a client, over its connection."""

    def __init__(self, connection: Connection) -> None:
        """Take the connection that all of them share."""
        self._connection = connection
