"""The digest by which a client checks that its slots are the server's."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from service.domain.ids import calendar_name, type_name
from service.domain.slot import Slot

DIGEST_MODULUS = 2**64
SLOT_DIGESTS_KEPT_MAX = 65_536


@lru_cache(maxsize=SLOT_DIGESTS_KEPT_MAX)
def slot_digest(business_id: str, slot: Slot) -> int:
    """Return what one open slot adds to the digest, as `Heartbeat.digest` defines it."""
    start, type_id, calendar_id, end = slot.key
    text = "\n".join(
        (
            type_name(business_id, type_id),
            calendar_name(business_id, calendar_id),
            str(int(start.timestamp())),
            str(int(end.timestamp())),
            str(slot.seats_left),
        )
    )
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")
