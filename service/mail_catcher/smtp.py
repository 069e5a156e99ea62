"""The door that letters come in by: SMTP on the event loop of whoever runs it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from service.mail_catcher.letters import BYTES_MAX, Letters

CONNECTIONS_MAX = 100
"""Of one moment; whoever comes then is told to come later."""
RECIPIENTS_MAX = 100
IDLE_SECONDS_MAX = 60.0
HOSTNAME = "catcher.localhost"
TAKEN = "250 2.0.0 Caught"
LOGIN_FIRST = "530 5.7.0 Authentication required"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections, try again later\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """What a sender must do before a letter is taken; nothing, if nothing is given."""

    tls: ssl.SSLContext | None = None
    # Of STARTTLS; with True it speaks TLS from the first byte on.
    tls_at_once: bool = False
    login: tuple[str, str] | None = None


OPEN = Guard()


@asynccontextmanager
async def listening(
    letters: Letters, address: tuple[str, int], guard: Guard = OPEN
) -> AsyncIterator[tuple[str, int]]:
    """Take letters until the block ends; yields the address, where a port of 0 is a free one."""
    loop = asyncio.get_running_loop()
    sessions: set[_Session] = set()
    server = await loop.create_server(
        lambda: _Session(letters, sessions, guard),
        *address,
        ssl=guard.tls if guard.tls_at_once else None,
    )
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield host, port
    finally:
        server.close()
        for session in tuple(sessions):
            session.hang_up()
        await server.wait_closed()


class _Session(SMTP):
    """One sender's connection."""

    def __init__(self, letters: Letters, sessions: set[_Session], guard: Guard) -> None:
        starts_tls = guard.tls is not None and not guard.tls_at_once
        super().__init__(
            _Handler(letters, needs_login=guard.login is not None),
            data_size_limit=BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=HOSTNAME,
            ident="Slotcast mail catcher",
            timeout=IDLE_SECONDS_MAX,
            tls_context=guard.tls if starts_tls else None,
            require_starttls=starts_tls,
            # Of TLS from the first byte on aiosmtpd does not know.
            auth_require_tls=starts_tls,
            authenticator=_authenticator(guard.login),
            loop=asyncio.get_running_loop(),
        )
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        is_one_too_many = len(self._sessions) >= CONNECTIONS_MAX and self not in self._sessions
        self._sessions.add(self)
        super().connection_made(transport)
        if is_one_too_many:
            # Before its greeting, which waits for the loop.
            cast(asyncio.WriteTransport, transport).write(TOO_MANY_CONNECTIONS)
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()


class _Handler:
    """What is done with a letter."""

    def __init__(self, letters: Letters, *, needs_login: bool) -> None:
        self._letters = letters
        self._needs_login = needs_login

    async def handle_MAIL(  # noqa: N802  aiosmtpd finds it by this name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self._needs_login and not session.authenticated:
            return LOGIN_FIRST
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        raw = envelope.original_content
        assert raw is not None
        self._letters.add(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        return TAKEN


def _authenticator(
    login: tuple[str, str] | None,
) -> Callable[[SMTP, Session, Envelope, str, object], AuthResult]:
    """Let in who knows the login; everybody, where there is none."""
    known = None if login is None else LoginPassword(*(each.encode() for each in login))

    def check(
        server: SMTP,  # noqa: ARG001
        session: Session,  # noqa: ARG001
        envelope: Envelope,  # noqa: ARG001
        mechanism: str,  # noqa: ARG001
        given: object,
    ) -> AuthResult:
        return AuthResult(success=known in {None, given}, handled=False)

    return check
