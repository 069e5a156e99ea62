"""The whole service as one runs it, with the pages; its parts can be taken away and given back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Self

import grpc
import pytest

from service.cli import supervisor
from service.cli.api_key import WIDGET_SCOPES, new_key
from service.cli.connection import Access, connect
from service.cli.running import RunningServer, read_operator_key
from service.cli.seed import demo_business, seed
from service.embedded.envoy import Envoy
from service.embedded.process import ServerFailed, free_port
from service.mail_catcher.catcher import MailCatcher, running_mail_catcher
from service.settings import Settings
from service.store import api_keys
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES
from slotcast import Client
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub
from tests.rpc.stack import stamp, tomorrow

PAGES = Path(__file__).parents[2] / "clients" / "web" / "dist" / "pages"
WORKERS = 2
HOST_PATH = "/host.html"
HOST_PAGE = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>A page with a booking</title>
    <link rel="icon" href="data:,">
    <style>
      :root { color-scheme: light dark }
      body { margin: 8px }
      h1 { font: 20px sans-serif }
    </style>
    <script type="module" src="/element/slotcast-booking.js"></script>
  </head>
  <body><main><h1>Come to us</h1></main></body>
</html>
"""
"""A page of anybody's, to put the element in."""

_numbers = count(1)


class SwitchedWorkers(supervisor.Workers):
    """Workers that are not started again while they are switched off."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._may_start = asyncio.Event()
        self._may_start.set()
        self._ready = asyncio.Condition()
        self._ready_count = 0

    async def _spawn(self, name: str) -> None:
        await self._may_start.wait()
        await super()._spawn(name)
        async with self._ready:
            self._ready_count += 1
            self._ready.notify_all()

    def switch_off(self) -> None:
        """Kill them all."""
        self._may_start.clear()
        self._ready_count = 0
        self._signal(signal.SIGKILL)

    async def switch_on(self) -> None:
        """Let them be started again, and return when all take calls."""
        self._may_start.set()
        async with self._ready:
            # The notifier is one more.
            await self._ready.wait_for(lambda: self._ready_count > WORKERS)

    def freeze(self) -> None:
        """Let them stand still, with all connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process_id in self.process_ids:
            os.kill(process_id, number)


class SwitchedEnvoy(Envoy):
    """An Envoy that is not started again while it is switched off."""

    _is_off = False

    def start(self) -> Self:
        if self._is_off:
            raise ServerFailed("It is switched off.")
        return super().start()

    def switch_off(self) -> None:
        """Kill it."""
        self._is_off = True
        self.kill()

    def switch_on(self) -> None:
        """Start it again, at its port."""
        self._is_off = False
        self.start()

    def freeze(self) -> None:
        """Let it stand still, with all connections open."""
        os.kill(self.process_id, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.process_id, signal.SIGCONT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """A business of its own, as the demo's: a client with all rights, and the key of its pages."""

    business: str
    page_key: str
    client: Client


@dataclass(kw_only=True)
class WebStack:
    """A running service."""

    server: RunningServer
    settings: Settings
    workers: SwitchedWorkers
    envoy: SwitchedEnvoy
    catcher: MailCatcher

    @property
    def url(self) -> str:
        """Where the pages and the API are."""
        assert self.server.gateway is not None
        return self.server.gateway

    @asynccontextmanager
    async def a_shop(self, display_name: str = "Demo salon") -> AsyncIterator[Shop]:
        """Make a business that nobody else has."""
        business = f"web-{os.getpid()}-{next(_numbers)}"
        operator_key = read_operator_key(self.settings.data_folder)
        assert operator_key is not None
        access = Access(target=self.server.target, api_key=operator_key)
        async with connect(access, business) as client:
            made = replace(demo_business(business), display_name=display_name)
            await client.create_business(made)
            await seed(client, business)
            yield Shop(business=business, page_key=await self._page_key(business), client=client)

    async def _page_key(self, business: str) -> str:
        key, text = new_key(business, "page", WIDGET_SCOPES)
        database = Database(self.server.database_url, pool_size=1)
        try:
            async with database.transaction(ALL_BUSINESSES) as tx:
                await api_keys.add(tx, key)
        finally:
            await database.close()
        return text


@asynccontextmanager
async def running_web(
    folder: Path, *, heartbeat_seconds: float = 0.5, stale_after_seconds: float = 3.0
) -> AsyncIterator[WebStack]:
    """Run all of it, with a mail server that keeps its letters, until the block ends."""
    workers: list[SwitchedWorkers] = []
    envoys: list[SwitchedEnvoy] = []

    class TheWorkers(SwitchedWorkers):
        def __init__(self, settings: Settings) -> None:
            super().__init__(settings)
            workers.append(self)

    class TheEnvoy(SwitchedEnvoy):
        def __enter__(self) -> Self:
            envoys.append(self)
            return super().__enter__()

    pages = folder / "pages"
    shutil.copytree(PAGES, pages)
    (pages / HOST_PATH.removeprefix("/")).write_text(HOST_PAGE)
    port = free_port()
    settings = Settings(
        data_folder=folder,
        listen_address="127.0.0.1:0",
        gateway_port=port,
        mail_sender="bookings@salon.example",
        public_url=f"http://127.0.0.1:{port}",
        pages=pages,
        workers=WORKERS,
        log_level="ERROR",
        heartbeat_seconds=heartbeat_seconds,
        stale_after_seconds=stale_after_seconds,
    )
    with pytest.MonkeyPatch.context() as patch:
        # A worker reads these from the environment, as it does when an operator sets them.
        patch.setenv("SLOTCAST_HEARTBEAT_SECONDS", str(heartbeat_seconds))
        patch.setenv("SLOTCAST_STALE_AFTER_SECONDS", str(stale_after_seconds))
        patch.setattr(supervisor, "Workers", TheWorkers)
        patch.setattr(supervisor, "Envoy", TheEnvoy)
        async with running_mail_catcher() as catcher:
            settings = replace(settings, smtp_url=catcher.smtp_url)
            async with supervisor.running_server(settings, lambda text: None) as server:
                yield WebStack(
                    server=server,
                    settings=settings,
                    workers=workers[0],
                    envoy=envoys[0],
                    catcher=catcher,
                )


async def told_for(stack: WebStack, shop: Shop, seconds: float) -> None:
    """Wait until the service has told another watcher for so long, by its own clock."""
    request = WatchAvailabilityRequest(
        parent=f"businesses/{shop.business}",
        start_time=stamp(tomorrow(9)),
        end_time=stamp(tomorrow(17)),
    )
    metadata = (("authorization", f"Bearer {shop.page_key}"),)
    async with grpc.aio.insecure_channel(stack.server.target) as channel:
        frames = AvailabilityServiceStub(channel).WatchAvailability(request, metadata=metadata)
        began = None
        async for frame in frames:
            as_of = frame.as_of.ToDatetime()
            began = began or as_of
            if (as_of - began).total_seconds() > seconds:
                return
