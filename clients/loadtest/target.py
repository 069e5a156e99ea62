"""The connection to a server: bare channels, so that the server is measured and not a client."""

from __future__ import annotations

import grpc

CALL_SECONDS_MAX = 30.0
CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    # Otherwise channels of one process share a connection.
    ("grpc.use_local_subchannel_pool", 1),
    # A call that failed is counted, not repeated.
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 32 * 1024 * 1024),
    ("grpc.primary_user_agent", "slotcast-load"),
)

Metadata = tuple[tuple[str, str], ...]


def open_channel(target: str) -> grpc.aio.Channel:
    """Open a channel for a worker, without TLS: what is measured is the server."""
    return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)


def open_blocking_channel(target: str) -> grpc.Channel:
    """Open a channel for what comes before and after the measuring."""
    return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)


def metadata(api_key: str, client: str) -> Metadata:
    """Return what goes along with a call of one of the many clients of a chat backend."""
    return (("authorization", f"Bearer {api_key}"), ("x-client-id", client))
