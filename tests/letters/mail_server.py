"""A mail server that does as it is told: takes letters, refuses them, stalls, or dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

STALL = "stall"
DIE = "die"
DIE_HALFWAY = "die halfway"
"""Within the letter."""

_ANSWERS = {
    "connect": "220 mail.example ESMTP",
    "EHLO": "250 mail.example",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    "letter": "250 taken",
    "QUIT": "221 bye",
}


@dataclass
class ScriptedServer:
    """`answers` has what it says at a step, if not the usual: a line, or one of the above."""

    address: tuple[str, int] = ("", 0)
    answers: dict[str, str] = field(default_factory=dict)
    letters: list[bytes] = field(default_factory=list)
    connections: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"smtp://{self.address[0]}:{self.address[1]}"

    async def until(self, is_so) -> None:
        """Wait until something is so of it."""
        async with asyncio.timeout(30):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""
        self.connections += 1
        self._news.set()
        try:
            if await self._answer(writer, "connect"):
                await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _talk(self, reader, writer) -> None:
        while line := await reader.readline():
            command = line[:4].decode().upper().strip()
            if not await self._answer(writer, command):
                return
            may_write = self.answers.get("DATA", "354").startswith("3")
            if command == "DATA" and may_write and not await self._take_letter(reader, writer):
                return
            if command == "QUIT":
                return

    async def _take_letter(self, reader, writer) -> bool:
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            if self.answers.get("letter") == DIE_HALFWAY and len(lines) > 5:
                return False
        if not self.answers.get("letter", "2").startswith(("4", "5")):
            self.letters.append(b"".join(lines))
            self._news.set()
        return await self._answer(writer, "letter")

    async def _answer(self, writer, step) -> bool:
        """Answer, and say whether to go on."""
        answer = self.answers.get(step, _ANSWERS.get(step, "250 OK"))
        if answer == STALL:
            self._news.set()
            await asyncio.Event().wait()
        if answer in {DIE, DIE_HALFWAY}:
            return False
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return True


@asynccontextmanager
async def a_mail_server(**answers: str) -> AsyncIterator[ScriptedServer]:
    """Run one until the block ends."""
    scripted = ScriptedServer(answers=answers)
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader, writer):
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await scripted.serve(reader, writer)
        except asyncio.CancelledError:
            writer.close()
        finally:
            talks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    scripted.address = server.sockets[0].getsockname()[:2]
    try:
        yield scripted
    finally:
        server.close()
        for talk in list(talks):
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()
