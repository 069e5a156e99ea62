"""Streamable HTTP: the bearer of each request is the API key that its calls are made with."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from socket import AF_INET, AF_INET6, create_server, socket
from time import monotonic
from typing import TypeAlias

import uvicorn
from mcp.server.auth.middleware.bearer_auth import (
    AuthenticatedUser,
    BearerAuthBackend,
    RequireAuthMiddleware,
)
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationError
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slotcast_mcp.clients import Clients
from slotcast_mcp.refusals import refused
from slotcast_mcp.server import Context, build_server

PATH = "/mcp"
SESSIONS_MAX = 1000
CONNECTIONS_MAX = 2000
"""So many may be open at a time; another is answered 503, and closed."""
SESSION_IDLE_SECONDS = 600.0
BODY_BYTES_MAX = 64 * 1024
KEY_LENGTH_MAX = 4096
UNSURE_PART = 4
"""One in so many sessions, and one at least, may be opened within `SESSION_IDLE_SECONDS` with keys
of which the service could not be asked; none with a key that it refuses."""
Known: TypeAlias = tuple[AuthCredentials, AuthenticatedUser]
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Where and to whom the server is open.

    allowed_hosts: the names in the `Host` header under which it may be called, besides those of
        this machine; where it listens beyond this machine and none is given, any.
    sessions_max: so many sessions may be open at a time; another is refused with 503 until one of
        them ends, or has been idle for `SESSION_IDLE_SECONDS`. Clients of the protocol's newest
        version need none.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    allowed_hosts: Sequence[str] = ()
    sessions_max: int = SESSIONS_MAX

    @property
    def is_loopback(self) -> bool:
        """True: only this machine can call."""
        return self.host in {"127.0.0.1", "localhost", "::1"}

    def open(self) -> socket:
        """Listen; OSError where that cannot be, as on a port that is in use."""
        family = AF_INET6 if ":" in self.host else AF_INET
        return create_server((self.host, self.port), family=family, backlog=CONNECTIONS_MAX)


def build_app(clients: Clients, door: Door) -> Starlette:
    """Build the web application."""
    manager = StreamableHTTPSessionManager(
        build_server(
            lambda context: clients.with_key(_key_of(context)),
            clients.deadline_seconds,
            business=clients.business,
            has_answered=lambda context, client: clients.has_accepted(_key_of(context), client),
        ),
        json_response=True,
        security_settings=_security(door),
        max_request_body_size=BODY_BYTES_MAX,
        session_idle_timeout=SESSION_IDLE_SECONDS,
        max_sessions=door.sessions_max,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    app = RequireAuthMiddleware(StreamableHTTPASGIApp(manager), [])
    bearers = Middleware(
        AuthenticationMiddleware, backend=_Bearers(clients, door.sessions_max), on_error=_not_now
    )
    return Starlette(routes=[Route(PATH, endpoint=app)], middleware=[bearers], lifespan=lifespan)


class WebServer(uvicorn.Server):
    """The web server: `is_up` once it listens at `url`. Make it inside the running event loop."""

    def __init__(self, clients: Clients, door: Door) -> None:
        """Take whom to ask, and where to listen."""
        self.is_up = asyncio.Event()
        self._host = f"[{door.host}]" if ":" in door.host else door.host
        config = uvicorn.Config(
            build_app(clients, door),
            host=door.host,
            port=door.port,
            log_level="warning",
            access_log=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)

    @property
    def url(self) -> str:
        """Where assistants connect."""
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}{PATH}"

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.is_up.set()


class _Bearers(BearerAuthBackend):
    """Lets keys in, as themselves: what each may do is decided by the service, at each call.

    A session is opened only with a key that the service knows, or all there may be could be opened
    with made-up ones.
    """

    def __init__(self, clients: Clients, sessions_max: int) -> None:
        super().__init__(_AnyKey())
        self._clients = clients
        self._unsure_max = max(sessions_max // UNSURE_PART, 1)
        self._unsure_at: deque[float] = deque()

    async def authenticate(self, conn: HTTPConnection) -> Known | None:
        """Return whose request it is; None: nobody's who is let in."""
        known: Known | None = await super().authenticate(conn)
        if known is None or not _opens_session(conn):
            return known
        is_accepted = await self._clients.is_accepted(known[1].access_token.token)
        if is_accepted is None and not self._is_room_for_unsure():
            raise AuthenticationError("The service cannot be asked whether it knows this key.")
        return None if is_accepted is False else known

    def _is_room_for_unsure(self) -> bool:
        now = monotonic()
        while self._unsure_at and self._unsure_at[0] <= now - SESSION_IDLE_SECONDS:
            self._unsure_at.popleft()
        if len(self._unsure_at) >= self._unsure_max:
            return False
        self._unsure_at.append(now)
        return True


def _opens_session(conn: HTTPConnection) -> bool:
    """Tell whether a request is of a protocol with sessions, and of none that is open."""
    version = conn.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    is_old = version is None or version in HANDSHAKE_PROTOCOL_VERSIONS
    return is_old and MCP_SESSION_ID_HEADER not in conn.headers


def _not_now(_: HTTPConnection, error: AuthenticationError) -> Response:
    return JSONResponse({"error": str(error)}, 503, {"retry-after": "5"})


class _AnyKey:
    """Takes every key that can be one. A session is not found under another than opened it."""

    async def verify_token(self, token: str) -> AccessToken | None:
        if not 0 < len(token) <= KEY_LENGTH_MAX or not token.isprintable() or not token.isascii():
            return None
        return AccessToken(token=token, client_id=sha256(token.encode()).hexdigest(), scopes=[])


def _key_of(context: Context) -> str:
    request = context.request
    if not isinstance(request, Request):
        raise refused("KEY_MISSING")
    token: str = request.user.access_token.token
    return token


def _security(door: Door) -> TransportSecuritySettings:
    hosts = [f"{host}:*" for host in _LOOPBACK] if door.is_loopback else []
    hosts += [each for host in door.allowed_hosts for each in (host, f"{host}:*")]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=bool(hosts), allowed_hosts=hosts, allowed_origins=origins
    )
