"""Signed tokens: where to resume a watch, and which page comes next."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from service.domain.capability import capability_key
from service.domain.errors import InvalidPageToken, InvalidResumeToken
from service.domain.slot import SlotQuery

SIGNATURE_BYTES = 16
TOKEN_CHARACTERS_MAX = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RESUME = b"resume 1"
_PAGE = b"page 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeToken:
    """What a client has: the slots of a filter at a revision and an instant."""

    business_id: str
    epoch: str
    revision: int
    as_of: datetime
    filter_hash: str


class Tokens:
    """Writes and reads tokens. Servers that share a database share the secret."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret that tokens are signed with."""
        self._secret = secret

    @property
    def capability_key(self) -> bytes:
        """What the tokens in letters are signed with."""
        return capability_key(self._secret)

    def resume(self, token: ResumeToken) -> str:
        """Write a resume token."""
        micros = (token.as_of - _EPOCH) // _MICROSECOND
        return self._write(
            _RESUME, [token.business_id, token.epoch, token.revision, micros, token.filter_hash]
        )

    def read_resume(self, text: str, business_id: str) -> ResumeToken:
        """Read a resume token; raise InvalidResumeToken if altered, or of another business."""
        fields = self._read(_RESUME, text)
        if fields is None or fields[0] != business_id:
            raise InvalidResumeToken
        _, epoch, revision, micros, filter_hash = fields
        return ResumeToken(
            business_id=business_id,
            epoch=epoch,
            revision=revision,
            as_of=_EPOCH + micros * _MICROSECOND,
            filter_hash=filter_hash,
        )

    def page(self, query_hash: str, after: Sequence[str]) -> str:
        """Write a page token: what the page before ended with."""
        return self._write(_PAGE, [query_hash, *after])

    def read_page(self, text: str, query_hash: str) -> tuple[str, ...]:
        """Read a page token; raise InvalidPageToken if altered, or of another query."""
        fields = self._read(_PAGE, text)
        if fields is None or fields[0] != query_hash:
            raise InvalidPageToken
        return tuple(fields[1:])

    def _write(self, kind: bytes, fields: list[Any]) -> str:
        payload = json.dumps(fields, separators=(",", ":")).encode()
        return _to_text(self._sign(kind, payload) + payload)

    def _read(self, kind: bytes, text: str) -> list[Any] | None:
        data = _from_text(text)
        if data is None:
            return None
        signature, payload = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(kind, payload)):
            return None
        fields: list[Any] = json.loads(payload)
        return fields

    def _sign(self, kind: bytes, payload: bytes) -> bytes:
        return hmac.digest(self._secret, kind + b"\n" + payload, "sha256")[:SIGNATURE_BYTES]


def filter_hash(query: SlotQuery) -> str:
    """Return what stands for all that a query asks: two that ask the same have the same."""
    parts = [
        query.business_id,
        query.window.start.astimezone(UTC).isoformat(),
        query.window.end.astimezone(UTC).isoformat(),
        sorted(set(query.type_ids)),
        sorted(set(query.calendar_ids)),
        None if query.duration is None else query.duration // _MICROSECOND,
        query.holder_key,
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes | None:
    if len(text) > TOKEN_CHARACTERS_MAX:
        return None
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    # Python's decoder forgives strange characters and stray last bits; an altered token is refused.
    return data if _to_text(data) == text else None
