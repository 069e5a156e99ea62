"""The letters that were caught: the newest ones, as many as there is room for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from itertools import count

LETTERS_MAX = 500
BYTES_MAX = 10 * 1024 * 1024
"""Of all letters together; one letter may fill it all."""
WAIT_SECONDS_MAX = 30.0


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter as it came over the wire; `number` rises with each that comes."""

    number: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        """What is in it, as Python's own parser reads it."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        """What it says it is about."""
        return str(self.message.get("subject", ""))

    def part(self, content_type: str) -> str | None:
        """Return the text of the first part of a type, such as "text/plain", that is no file."""
        for part in parts_of(self.message):
            if part.get_content_type() == content_type and not part.is_attachment():
                return text_of(part)
        return None


def parts_of(message: EmailMessage) -> Iterator[EmailMessage]:
    """Yield all parts of a letter, the outermost first."""
    for part in message.walk():
        assert isinstance(part, EmailMessage), "the policy makes them so"
        yield part


def text_of(part: EmailMessage) -> str:
    """Return a part's text, also of a file, or in a character set that nobody knows."""
    try:
        content = part.get_content()
    except (LookupError, ValueError):
        content = part.get_payload(decode=True)
    return content.decode(errors="replace") if isinstance(content, bytes) else str(content)


class Letters:
    """Those that are kept, oldest first; the oldest go where there is no room."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with none; `now` says when one comes."""
        self._now = now
        self._kept: deque[Letter] = deque()
        self._bytes = 0
        self._numbers = count(1)
        self._changes = 0
        self._changed = asyncio.Event()

    @property
    def kept(self) -> tuple[Letter, ...]:
        """All of them, oldest first."""
        return tuple(self._kept)

    def add(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> Letter:
        """Keep one more, and let go of the oldest where it finds no room."""
        letter = Letter(
            number=next(self._numbers),
            received_at=self._now(),
            sender=sender,
            recipients=recipients,
            raw=raw,
        )
        self._kept.append(letter)
        self._bytes += len(raw)
        while len(self._kept) > LETTERS_MAX or self._bytes > BYTES_MAX:
            self._bytes -= len(self._kept.popleft().raw)
        self._tell()
        return letter

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._bytes = 0
        self._tell()

    def find(self, number: int) -> Letter | None:
        """Return a letter that is still kept."""
        return next((letter for letter in self._kept if letter.number == number), None)

    @property
    def changes(self) -> int:
        """How often one came or went."""
        return self._changes

    async def changed(self, since: int) -> None:
        """Return when there were more changes than `since`."""
        while self._changes == since:
            await self._changed.wait()

    async def first(
        self,
        wanted: Callable[[Letter], bool],
        *,
        seconds_max: float = WAIT_SECONDS_MAX,
    ) -> Letter:
        """Return the oldest letter that is wanted, as soon as it is there. Raises TimeoutError."""
        async with asyncio.timeout(seconds_max):
            while True:
                for letter in self.kept:
                    if wanted(letter):
                        return letter
                await self.changed(self._changes)

    def _tell(self) -> None:
        self._changes += 1
        self._changed.set()
        self._changed = asyncio.Event()
