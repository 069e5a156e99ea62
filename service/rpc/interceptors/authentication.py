"""Who calls, and may they: API keys, links of letters, scopes, and the business concerned.

Denied by default: a method that has no scopes in `methods.py` cannot be served, and a request that
does not name a business properly goes no further.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from service.domain.errors import (
    InvalidRequest,
    KeyInvalid,
    KeyMissing,
    Overloaded,
    ResourceNotFound,
    ScopeMissing,
    TryAgain,
)
from service.domain.scopes import BOOKINGS_STAFF, OPERATOR
from service.ops.tasks import shared
from service.rpc.call import Behaviour, Call, Principal, Unreadable
from service.rpc.convert.names import business_of
from service.rpc.interceptors.capabilities import CapabilityRing, check_of
from service.rpc.interceptors.layer import Layer
from service.rpc.interceptors.request_log import loggable_id
from service.rpc.methods import Method
from service.store.api_keys import ANY_BUSINESS, ApiKey
from service.store.database import is_retryable

BEARER = re.compile(r"[Bb]earer sc_([A-Za-z0-9-]{1,64})_([A-Za-z0-9_-]{8,128})")

LINK = re.compile(r"[Bb]earer (slotcast_(?:manage|handoff)_[A-Za-z0-9_-]+)")
ANYONE = Principal(principal_id="anyone", business_id="", scopes=frozenset())
"""Who calls a method that needs no key."""

FindKey = Callable[[str], Awaitable[ApiKey | None]]
Monotonic = Callable[[], float]


@dataclass(slots=True)
class _Entry:
    key: ApiKey | None
    principal: Principal | None
    fresh_until: float


class KeyRing:
    """The API keys in use, each read from the database at most once in `cache_seconds`."""

    KEYS_MAX = 10_000
    UNKNOWN_MAX = 10_000
    UNKNOWN_SECONDS_MAX = 2.0
    # How many ids never seen before are looked up at a time: guessing takes no more than that.
    GUESSES_MAX = 4
    GUESS_SECONDS_MAX = 2.0

    def __init__(
        self, find: FindKey, *, cache_seconds: float, monotonic: Monotonic = time.monotonic
    ) -> None:
        """Take what finds a key by its id."""
        self._find = find
        self._cache_seconds = cache_seconds
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Entry] = OrderedDict()
        self._unknown: OrderedDict[str, _Entry] = OrderedDict()
        self._reading: dict[str, asyncio.Task[_Entry]] = {}
        self._guesses = asyncio.Semaphore(self.GUESSES_MAX)

    async def principal(self, authorization: str | bytes | None) -> Principal:
        """Return who holds the key in an `authorization` header; raise KeyMissing or KeyInvalid."""
        if not authorization:
            raise KeyMissing
        match = BEARER.fullmatch(authorization) if isinstance(authorization, str) else None
        if match is None:
            raise KeyInvalid
        entry = self._cached(match[1])
        if entry is None:
            entry = await shared(self._read_once(match[1]))
        digest = hashlib.sha256(match[2].encode()).digest()
        stored = entry.key.secret_hash if entry.key else bytes(len(digest))
        if not hmac.compare_digest(digest, stored) or entry.principal is None:
            raise KeyInvalid
        return entry.principal

    def _cached(self, key_id: str) -> _Entry | None:
        entry = self._known.get(key_id) or self._unknown.get(key_id)
        return entry if entry is not None and entry.fresh_until > self._monotonic() else None

    def _read_once(self, key_id: str) -> asyncio.Task[_Entry]:
        """Read a key; those who ask for it meanwhile wait for the same answer."""
        reading = self._reading.get(key_id)
        if reading is None:
            reading = self._reading[key_id] = asyncio.create_task(self._read(key_id))
            reading.add_done_callback(lambda _: self._reading.pop(key_id, None))
        return reading

    async def _read(self, key_id: str) -> _Entry:
        if key_id in self._known:
            return self._keep(key_id, await self._find(key_id))
        try:
            async with asyncio.timeout(self.GUESS_SECONDS_MAX), self._guesses:
                return self._keep(key_id, await self._find(key_id))
        except TimeoutError:
            raise Overloaded from None

    def _keep(self, key_id: str, key: ApiKey | None) -> _Entry:
        is_good = key is not None and not key.revoked
        seconds = (
            self._cache_seconds if is_good else min(self._cache_seconds, self.UNKNOWN_SECONDS_MAX)
        )
        entry = _Entry(
            key=key,
            principal=_principal(key) if key is not None and is_good else None,
            fresh_until=self._monotonic() + seconds,
        )
        kept, other, most = (
            (self._known, self._unknown, self.KEYS_MAX)
            if is_good
            else (self._unknown, self._known, self.UNKNOWN_MAX)
        )
        other.pop(key_id, None)
        kept[key_id] = entry
        kept.move_to_end(key_id)
        if len(kept) > most:
            kept.popitem(last=False)
        return entry


class Authentication(Layer):
    """Lets a call in whose key is good, has a scope for it, and is for the business concerned."""

    RECHECK_SECONDS = 10.0

    def __init__(
        self,
        keys: KeyRing,
        capabilities: CapabilityRing,
        *,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Take the keys, and the capabilities that links have instead."""
        super().__init__()
        self._keys = keys
        self._capabilities = capabilities
        self._monotonic = monotonic

    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Let the right ones in."""
        is_long = method.streams_requests or method.streams_answers

        async def answer(request: Any, call: Call) -> Any:
            principal = await self._principal(request, call) if method.scopes else ANYONE
            business_id = authorise(principal, method, request)
            recheck = partial(self._recheck, request, _Checked(self._monotonic()))
            call.admit(principal, business_id, recheck if is_long else _never)
            return await inner(request, call)

        return answer

    async def _principal(self, request: Any, call: Call) -> Principal:
        header = call.metadata.get("authorization")
        link = LINK.fullmatch(header) if isinstance(header, str) else None
        if link is None:
            return await self._keys.principal(header)
        return await self._capabilities.principal(link[1], loggable_id(request))

    async def _recheck(self, request: Any, checked: _Checked, call: Call) -> None:
        """Raise once the key is revoked or has lost its scope; asks every `RECHECK_SECONDS`."""
        now = self._monotonic()
        if now - checked.at < self.RECHECK_SECONDS:
            return
        checked.at = now
        try:
            principal = await self._principal(request, call) if call.method.scopes else ANYONE
        except (TryAgain, Overloaded):
            return
        except Exception as error:
            # Without the database nothing new is sent either; the view goes stale by itself.
            if is_retryable(error):
                return
            raise
        authorise(principal, call.method, request)


@dataclass(slots=True)
class _Checked:
    at: float


def authorise(principal: Principal, method: Method, request: Any) -> str:
    """Return the business that a request concerns, if the principal may make it."""
    check = check_of(principal.grant, method) if principal.grant is not None else None
    if method.scopes and not principal.scopes & method.scopes:
        raise ScopeMissing(scope=min(method.scopes))
    if OPERATOR in method.scopes and principal.business_id != ANY_BUSINESS:
        raise ScopeMissing("This needs a key of the operator.", scope=OPERATOR)
    if isinstance(request, Unreadable):
        raise InvalidRequest("request", "Its bytes are no such message.")
    may_override = BOOKINGS_STAFF in principal.scopes
    if method.can_override and request.override_notice and not may_override:
        raise ScopeMissing(scope=BOOKINGS_STAFF)
    if method.read_name is None:
        return ""
    name = method.read_name(request)
    business_id = business_of(name)
    if business_id is None:
        raise InvalidRequest(method.name_field, "It must be a resource name: businesses/…")
    if principal.business_id not in (business_id, ANY_BUSINESS):
        raise ResourceNotFound(name)
    if check is not None and principal.grant is not None:
        check(principal.grant, request)
    return business_id


def _principal(key: ApiKey) -> Principal:
    return Principal(principal_id=key.key_id, business_id=key.business_id, scopes=key.scopes)


async def _never(_: Call) -> None:
    """Check nothing: the call is over before its key could be revoked."""
