"""Hands mail to a mail server: a connection for each letter, with a limit on every wait."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from service.notify.delivery import Busy, GiveUp, TryLater
from service.notify.letters.composing import Mail

CONNECT_SECONDS_MAX = 10.0
LETTER_SECONDS_MAX = 45.0
"""From connecting to the server's word that it has the letter."""
QUIT_SECONDS_MAX = 2.0
TURN_SECONDS_MAX = 8.0
"""Together these are less than a sender may take."""
CONNECTIONS_MAX = 8

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where letters are handed over, and how."""

    host: str
    port: int
    use_tls: bool = False
    use_starttls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """Read smtp://, smtp+starttls:// or smtps://, with a user and a password if need be.

        ValueError: it names no server, or its password would go out in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("must be such as smtps://user:password@mail.example.com:465")
        if parts.scheme == "smtp" and parts.username:
            raise ValueError("would send a password in the clear: use smtps or smtp+starttls")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            use_tls=parts.scheme == "smtps",
            use_starttls=parts.scheme == "smtp+starttls",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or "") if parts.username else None,
        )


class Postbox:
    """Hands letters to a mail server; a few at a time, the others wait for their turn."""

    def __init__(
        self,
        server: MailServer,
        *,
        tls: ssl.SSLContext | None = None,
        letter_seconds_max: float = LETTER_SECONDS_MAX,
    ) -> None:
        """Take the server; `tls` is for one whose certificate is not signed by who is known."""
        self._server = server
        self._tls = tls or ssl.create_default_context()
        self._letter_seconds_max = letter_seconds_max
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX)

    async def post(self, mail: Mail) -> None:
        """Hand a letter over: it is the server's when this returns.

        GiveUp: the server refuses the address or the letter for good. TryLater: anything else, also
        what is known to be ours to mend, such as a password that is wrong. Busy: it was not its
        turn.
        """
        await self._take_turn()
        client = self._client(mail)
        try:
            async with asyncio.timeout(self._letter_seconds_max):
                await _hand_over(client, mail)
            # Outside the time limit: the letter is the server's now, whatever comes.
            await _quit(client)
        except TimeoutError:
            raise TryLater("the mail server did not answer in time") from None
        except SMTPException as error:
            _judge(error)
        except OSError as error:
            raise TryLater(f"the mail server cannot be reached: {_kind_of(error)}") from None
        finally:
            client.close()
            self._turns.release()

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_SECONDS_MAX):
                await self._turns.acquire()
        except TimeoutError:
            raise Busy from None

    def _client(self, mail: Mail) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            # Its own default is asked of the network.
            local_hostname=mail.sender.rpartition("@")[2],
            use_tls=server.use_tls,
            start_tls=server.use_starttls,
            tls_context=self._tls if server.use_tls or server.use_starttls else None,
            username=server.username,
            password=server.password,
            timeout=self._letter_seconds_max,
        )


async def _hand_over(client: SMTP, mail: Mail) -> None:
    async with asyncio.timeout(CONNECT_SECONDS_MAX):
        await client.connect()
    await client.mail(mail.sender)
    await client.rcpt(mail.recipient)
    await client.data(mail.data)


async def _quit(client: SMTP) -> None:
    """Say goodbye; the letter is the server's, whatever it says to that."""
    try:
        await client.quit(timeout=QUIT_SECONDS_MAX)
    except (SMTPException, OSError, TimeoutError):
        return


def _judge(error: SMTPException) -> NoReturn:
    """Say whether a letter can ever go out, from the server's answer."""
    if not isinstance(error, SMTPResponseException):
        if isinstance(error, TimeoutError):
            raise TryLater("the mail server did not answer in time") from None
        raise TryLater(f"the mail server cannot be reached: {_kind_of(error)}") from None
    is_about_this_letter = isinstance(error, SMTPRecipientRefused | SMTPDataError)
    if is_about_this_letter and error.code >= 500:
        raise GiveUp(f"the mail server refuses it for good: {error.code}") from None
    raise TryLater(f"the mail server refuses it for now: {error.code}") from None


def _kind_of(error: Exception) -> str:
    """Return what kind of failure it is. What a server says may quote an address."""
    return type(error).__name__
