"""A way to PostgreSQL on which the answer to a commit can get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_COMMIT = b"COMMIT;"
_CHUNK_BYTES = 65536


class DeafRelay:
    """Passes on what clients and the server say, but for the answers to the next commits."""

    def __init__(self, url: str) -> None:
        """Take where the server listens, over TCP and in clear."""
        self._url = urlsplit(url)
        self._lines: dict[asyncio.Task[None], _Line] = {}
        self._port = 0
        self.commits_to_lose = 0
        self.commits_lost = 0

    @property
    def url(self) -> str:
        """Where clients connect to."""
        login, _, _ = self._url.netloc.rpartition("@")
        netloc = f"{login}@127.0.0.1:{self._port}"
        return urlunsplit(self._url._replace(netloc=netloc, query="sslmode=disable"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DeafRelay]:
        """Pass on until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            lines = dict(self._lines)
            for line in lines.values():
                line.hang_up()
            await asyncio.gather(*lines)

    def hears(self, data: bytes) -> bool:
        """Say whether the answer to what a client says is passed on."""
        if _COMMIT not in data or self.commits_to_lose == 0:
            return True
        self.commits_to_lose -= 1
        return False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection(self._url.hostname, self._url.port)
        line = _Line(self, (reader, writer), to_server)
        task = asyncio.current_task()
        assert task is not None
        self._lines[task] = line
        try:
            await line.pass_on()
        finally:
            del self._lines[task]


class _Line:
    """One client's connection, and that to the server."""

    def __init__(
        self,
        relay: DeafRelay,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._relay = relay
        self._client_reader, self._client_writer = client
        self._server_reader, self._server_writer = server
        self._is_heard = True

    async def pass_on(self) -> None:
        await asyncio.gather(self._ask(), self._answer())

    def hang_up(self) -> None:
        """Close both ends; whoever waits for either learns it."""
        self._client_writer.close()
        self._server_writer.close()

    async def _ask(self) -> None:
        with suppress(ConnectionError):
            while data := await self._client_reader.read(_CHUNK_BYTES):
                self._is_heard = self._relay.hears(data)
                self._server_writer.write(data)
        self.hang_up()

    async def _answer(self) -> None:
        with suppress(ConnectionError):
            while data := await self._server_reader.read(_CHUNK_BYTES):
                if not self._is_heard:
                    # It has been committed by now.
                    self._relay.commits_lost += 1
                    break
                self._client_writer.write(data)
        self.hang_up()
