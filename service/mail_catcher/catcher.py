"""The catcher as a whole: SMTP on one address, and a page on another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from service.mail_catcher.letters import WAIT_SECONDS_MAX, Letter, Letters
from service.mail_catcher.smtp import OPEN, Guard, listening
from service.mail_catcher.web import serving

ANY_PORT = ("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class MailCatcher:
    """A running one."""

    smtp_url: str
    http_url: str
    _letters: Letters

    @property
    def letters(self) -> tuple[Letter, ...]:
        """Those that are kept, oldest first."""
        return self._letters.kept

    async def letter(
        self, wanted: Callable[[Letter], bool], *, seconds_max: float = WAIT_SECONDS_MAX
    ) -> Letter:
        """Return the oldest letter that is wanted, as soon as it is there. Raises TimeoutError."""
        return await self._letters.first(wanted, seconds_max=seconds_max)

    def clear(self) -> None:
        """Let go of all letters."""
        self._letters.clear()


@asynccontextmanager
async def running_mail_catcher(
    smtp: tuple[str, int] = ANY_PORT,
    http: tuple[str, int] = ANY_PORT,
    guard: Guard = OPEN,
) -> AsyncIterator[MailCatcher]:
    """Catch letters until the block ends, on this event loop; a port of 0 is a free one."""
    letters = Letters(now=lambda: datetime.now(UTC))
    async with listening(letters, smtp, guard) as (smtp_host, smtp_port):
        smtps = "smtps" if guard.tls_at_once else "smtp"
        smtp_url = f"{smtps}://{_host(smtp_host)}:{smtp_port}"
        async with serving(letters, http, smtp_url) as (http_host, http_port):
            yield MailCatcher(smtp_url, f"http://{_host(http_host)}:{http_port}", letters)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
