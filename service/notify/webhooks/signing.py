"""How a receiver knows that a call is ours: as the Standard Webhooks specification says.

Three headers: `webhook-id`, the event's; `webhook-timestamp`, seconds since 1970 of this attempt;
`webhook-signature`, for each secret `v1,` and the base64 of the HMAC-SHA256 of
`{id}.{timestamp}.{body}`, with a blank between them. Its libraries verify all of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def secret_text(secret: bytes) -> str:
    """Return a secret as its receiver is told it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature_headers(
    secrets: Sequence[bytes], event_id: str, now: datetime, body: bytes
) -> dict[str, str]:
    """Return the headers that sign a body with each of the secrets."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
