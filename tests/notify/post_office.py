"""A mail server that counts: which Message-IDs came for whom, and how often; or that stalls."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP


class PostOffice:
    """Takes every letter, and remembers no more than for whom it was and its Message-ID."""

    def __init__(self) -> None:
        self.ids_by_recipient: dict[str, Counter[str]] = defaultdict(Counter)
        self.refused: set[str] = set()
        self.url = ""
        self.arrived = asyncio.Event()

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        """Refuse for good whom one has been told to."""
        if address in self.refused:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        """Take a letter; it is out as soon as this answers."""
        head = BytesHeaderParser().parsebytes(envelope.original_content)
        for recipient in envelope.rcpt_tos:
            self.ids_by_recipient[recipient][head["Message-ID"].strip()] += 1
        self.arrived.set()
        return "250 2.0.0 Taken"

    @property
    def taken(self) -> int:
        """How many letters came, repeated ones too."""
        return sum(ids.total() for ids in self.ids_by_recipient.values())

    @property
    def repeated(self) -> int:
        """How many came with a Message-ID that had come before."""
        return self.taken - sum(len(ids) for ids in self.ids_by_recipient.values())


@asynccontextmanager
async def open_post_office() -> AsyncIterator[PostOffice]:
    """Open one on a free port until the block ends."""
    office = PostOffice()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(office, hostname="post.localhost"), "127.0.0.1", 0
    )
    office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        server.close()


@asynccontextmanager
async def stalled_post_office() -> AsyncIterator[str]:
    """Open a mail server that lets everyone in, and then says nothing for ever; yields its URL."""
    closing = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        closing.set()
        server.close()
