"""HTTP to servers that a tenant names: only to public addresses, and bounded in all it takes.

What is checked is the address that a socket is made for. So it does not matter whether a name, a
literal in an odd form, a redirect or a name that resolves to something else by now has led there.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from types import TracebackType

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

REDIRECTS_MAX = 5
URL_LENGTH_MAX = 2048
CONNECTIONS_MAX = 32
CONNECTIONS_PER_HOST_MAX = 4
"""Beyond these a request waits for others to end, within its own time."""
CONNECT_SECONDS_MAX = 10.0
IDLE_SECONDS_MAX = 2.0
LOOKUPS_MAX = 32
"""A lookup cannot be stopped: so many threads may hang in one, and nothing else waits for them."""
LOOKUPS_PER_TENANT_MAX = 4
"""Beyond these a request waits for one of its tenant's to end, within its own time."""
LOOKUPS_WAITING_MAX = 64
"""Beyond these a request fails at once, as does one whose name is not found in time."""
LOOKUP_SECONDS_MAX = 5.0

_tenant: ContextVar[str | None] = ContextVar("tenant", default=None)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SCHEMES = frozenset({"http", "https"})
# What some systems read as an IPv4 address, written as nobody would: 0x7f.1, 017700000001.
_NUMERIC = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)
_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class OutboundError(Exception):
    """No answer was had. `reason` is a sentence that may be shown to who gave the URL."""

    def __init__(self, reason: str) -> None:
        """Take the sentence."""
        self.reason = reason
        super().__init__(reason)


class OutboundRefused(OutboundError):
    """The URL, where it leads or what is there is not allowed; again would be no better."""


class OutboundFailed(OutboundError):
    """The server was not reached, or did not answer in order or in time: later it may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What a server said. The names of `headers` are in lower case; `url` is after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class _NotPublic(OSError):
    """The address is one of a private network, or of this machine."""


class _NotLookedUp(OSError):
    """It is not known whether there is such a name."""


@contextmanager
def asking_for(tenant: str) -> Iterator[None]:
    """Say for whom is asked within the block: the names of one cannot take all lookups."""
    token = _tenant.set(tenant)
    try:
        yield
    finally:
        _tenant.reset(token)


class Outbound:
    """Asks other servers. It keeps no cookies, and takes no proxy from the environment.

    Make it within a running loop, and use it as an async context manager or call `close`.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        connections_per_host_max: int = CONNECTIONS_PER_HOST_MAX,
        user_agent: str = "Slotcast",
    ) -> None:
        """Say whether private addresses are allowed, as tests and demos need."""
        self.allows_private = allow_private
        self._resolver = _Resolver()
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS_MAX,
            limit_per_host=connections_per_host_max,
            keepalive_timeout=IDLE_SECONDS_MAX,
            use_dns_cache=False,
            resolver=self._resolver,
            socket_factory=_socket if allow_private else _public_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": user_agent, "accept-encoding": "gzip, deflate"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX),
            trust_env=False,
        )

    async def __aenter__(self) -> Outbound:
        """Enter."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def check(self, url: str, *, seconds_max: float = 5.0) -> None:
        """Raise what would be raised for a URL at once; nothing is connected to.

        A name may lead elsewhere by the time it is asked: whoever asks is checked again.
        """
        host = _checked(url).host
        assert host is not None
        try:
            async with asyncio.timeout(seconds_max):
                found = await self._resolver.resolve(host)
        except TimeoutError:
            raise OutboundFailed(f"It took longer than {seconds_max:g} s.") from None
        except (OSError, ValueError) as error:
            raise _no_address(error) from None
        if not self.allows_private and not any(is_public(each["host"]) for each in found):
            raise OutboundRefused("It leads to an address that is not public.")

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        bytes_max: int,
        seconds_max: float,
    ) -> Response:
        """Get what is at a URL, also by way of redirects, though never from https to http.

        A body that is longer than `bytes_max`, when unpacked, is refused.
        """
        try:
            async with asyncio.timeout(seconds_max):
                return await self._get(_checked(url), headers or {}, bytes_max)
        except TimeoutError:
            raise OutboundFailed(f"It took longer than {seconds_max:g} s.") from None

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        bytes_max: int,
        seconds_max: float,
    ) -> Response:
        """Post a body to a URL. A redirect is not followed, but returned as it is.

        Of the answer's body no more than `bytes_max` is read; that it has more is no failure.
        """
        try:
            async with asyncio.timeout(seconds_max):
                return await self._once("POST", _checked(url), headers or {}, bytes_max, body)
        except TimeoutError:
            raise OutboundFailed(f"It took longer than {seconds_max:g} s.") from None

    async def _get(self, url: URL, headers: Mapping[str, str], bytes_max: int) -> Response:
        for _ in range(REDIRECTS_MAX + 1):
            response = await self._once("GET", url, headers, bytes_max, None)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None:
                if len(response.body) > bytes_max:
                    raise OutboundRefused(f"What is there has more than {bytes_max:,} bytes.")
                return response
            url = _followed(url, location)
        raise OutboundRefused(f"It leads on more than {REDIRECTS_MAX} times.")

    async def _once(
        self, method: str, url: URL, headers: Mapping[str, str], bytes_max: int, body: bytes | None
    ) -> Response:
        """Ask once. The body that is returned may have a byte more than `bytes_max`."""
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                return Response(
                    status=answer.status,
                    headers={name.lower(): value for name, value in answer.headers.items()},
                    body=await _beginning(answer, bytes_max + 1),
                    url=str(url),
                )
        except aiohttp.InvalidURL:
            raise OutboundRefused("It is no URL.") from None
        except aiohttp.ClientSSLError:
            raise OutboundFailed("Its certificate is not good, or it speaks no TLS.") from None
        except aiohttp.ClientConnectorDNSError as error:
            raise _no_address(error.os_error) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _NotPublic):
                raise OutboundRefused("It leads to an address that is not public.") from None
            raise OutboundFailed("It could not be connected to.") from None
        except aiohttp.ServerTimeoutError:
            raise OutboundFailed("It could not be connected to in time.") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise OutboundFailed("The server broke off, or what it said is no HTTP.") from None


async def _beginning(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Return the beginning of a body. If there is more, the connection is given up."""
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        pieces.append(piece[: bytes_max - size])
        size += len(pieces[-1])
        if size >= bytes_max:
            answer.close()
            break
    return b"".join(pieces)


def _checked(text: str) -> URL:
    """Return a URL that may be asked."""
    if len(text) > URL_LENGTH_MAX:
        raise OutboundRefused(f"The URL is longer than {URL_LENGTH_MAX} characters.")
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError:
        raise OutboundRefused("It is no URL.") from None
    if url.scheme not in _SCHEMES or not host or not port:
        raise OutboundRefused("The URL must begin with https:// or http:// and name a host.")
    if url.user is not None or url.password is not None:
        raise OutboundRefused("The URL must not carry a user or a password.")
    if _NUMERIC.fullmatch(host) and not _is_literal(host):
        raise OutboundRefused("The URL names its host by a number that is no usual address.")
    return url.with_fragment(None)


def _followed(url: URL, location: str) -> URL:
    """Return where a redirect leads."""
    try:
        target = url.join(URL(location))
    except ValueError:
        raise OutboundRefused("It leads on to what is no URL.") from None
    if url.scheme == "https" and target.scheme == "http":
        raise OutboundRefused("It leads on from https to http.")
    return _checked(str(target))


def _no_address(error: Exception) -> OutboundFailed:
    if isinstance(error, _NotLookedUp):
        return OutboundFailed("The name of the host could not be looked up in time.")
    return OutboundFailed("The name of the host is not known.")


_Asked = tuple[str, int, socket.AddressFamily]


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own: one at a time for all who ask for the same."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="lookup")
        # They end when their threads do, whether or not somebody still waits.
        self._lookups: dict[_Asked, asyncio.Future[Sequence[aiohttp.AddrInfoType]]] = {}
        self._of_tenants: dict[str, set[asyncio.Future[Sequence[aiohttp.AddrInfoType]]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        try:
            async with asyncio.timeout(LOOKUP_SECONDS_MAX):
                lookup = await self._lookup((host, port, family), _tenant.get())
                found = await asyncio.shield(lookup)
        except TimeoutError:
            raise _NotLookedUp("it takes too long") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=of_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of_family, _, protocol, _, address in found
        ]

    async def _lookup(
        self, asked: _Asked, tenant: str | None
    ) -> asyncio.Future[Sequence[aiohttp.AddrInfoType]]:
        """Return the lookup of a name, begun by whoever asks for it first.

        A tenant that has all its lookups waits for one of these: most end at once.
        """
        while asked not in self._lookups:
            of_tenant = self._of_tenants.get(tenant, ()) if tenant is not None else ()
            if len(of_tenant) < LOOKUPS_PER_TENANT_MAX:
                self._begin(asked, tenant)
                break
            await asyncio.wait(of_tenant, return_when=asyncio.FIRST_COMPLETED)
        return self._lookups[asked]

    def _begin(self, asked: _Asked, tenant: str | None) -> None:
        if len(self._lookups) >= LOOKUPS_MAX + LOOKUPS_WAITING_MAX:
            raise _NotLookedUp("too many are")
        loop = asyncio.get_running_loop()
        lookup = self._lookups[asked] = loop.run_in_executor(self._threads, _look_up, *asked)
        if tenant is not None:
            self._of_tenants.setdefault(tenant, set()).add(lookup)
        lookup.add_done_callback(partial(self._end, asked, tenant))

    def _end(
        self,
        asked: _Asked,
        tenant: str | None,
        lookup: asyncio.Future[Sequence[aiohttp.AddrInfoType]],
    ) -> None:
        del self._lookups[asked]
        if tenant is not None:
            self._of_tenants[tenant].discard(lookup)
            if not self._of_tenants[tenant]:
                del self._of_tenants[tenant]

    async def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> Sequence[aiohttp.AddrInfoType]:
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    return socket.socket(*address[:3])


def _public_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Make a socket for a public address; for no other one is a socket made."""
    if not is_public(str(address[4][0])):
        raise _NotPublic("not public")
    return _socket(address)


def is_public(text: str) -> bool:
    """Say whether an address, as the system writes it, is one of the public internet."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    inner = _inner(address)
    if inner is not None:
        return _is_public_v4(inner)
    return (
        address in _UNICAST
        and address.is_global
        and address.scope_id is None
        and address.teredo is None
        and address.sixtofour is None
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is meant, mapped or translated by the network."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _is_literal(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True
