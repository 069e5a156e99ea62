"""One server: PostgreSQL and Valkey where none are given, worker processes on one port, a notifier.

These are processes of their own, started afresh and not forked, for gRPC does not survive a fork.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from service.cli.api_key import ensure_operator_key
from service.cli.failures import PortInUse, WorkerFailed
from service.cli.running import RunningServer, forget_running, write_running
from service.embedded.envoy import Envoy
from service.embedded.folder import DataFolderInUse
from service.embedded.postgres import Postgres
from service.embedded.process import ServerFailed, is_free, is_installed
from service.embedded.server import EmbeddedServer
from service.embedded.valkey import Valkey
from service.gateway.config import NO_DOCUMENTS, envoy_yaml, write_files
from service.gateway.pages import BadPages, page_routes
from service.settings import Settings, host_and_port, token_secret_bytes
from service.store import row_security
from service.store.database import Database, predicate_locks_per_transaction
from service.store.migrate import migrate
from service.store.scope import ALL_BUSINESSES

logger = logging.getLogger(__name__)

DATABASE_NAME = "slotcast"
READY_SECONDS_MAX = 30.0
STORE_LOOK_SECONDS = 1.0
PREDICATE_LOCKS_MIN = 1024
RESTART_SECONDS_FIRST = 0.1
RESTART_SECONDS_MAX = 5.0
Say = Callable[[str], None]


@asynccontextmanager
async def running_server(
    settings: Settings, say: Say, documents: Mapping[str, Path] = NO_DOCUMENTS
) -> AsyncIterator[RunningServer]:
    """Run a server until the block ends. `say` is told what takes a while.

    `documents` are files that the gateway serves beside the pages, by path.
    """
    if settings.pages is not None:
        # They are refused rather now than when all the rest has started.
        page_routes(settings.pages)
    async with AsyncExitStack() as stack:
        reserved = _reserve(settings.listen_address)
        stack.callback(reserved.close)
        settings, stores = _start_stores(settings, stack, say)
        assert settings.database_url is not None
        assert settings.redis_url is not None
        await _prepare_database(settings, say)
        keeper = asyncio.create_task(_keep_stores(stores, say), name="stores")
        stack.callback(keeper.cancel)
        host, port = reserved.getsockname()[:2]
        target = f"{host}:{port}"
        # Started after the workers, and stopped after them too: it lets their goodbyes through.
        doors = stack.enter_context(ExitStack())
        workers = Workers(replace(settings, listen_address=target))
        stack.push_async_callback(workers.stop)
        say(f"starting {settings.workers} worker(s) on {target}, and a notifier")
        await workers.start()
        gateway = _start_gateway(settings, target, documents, doors, stores, say)
        server = RunningServer(
            target=target,
            database_url=settings.database_url,
            redis_url=settings.redis_url,
            process_id=os.getpid(),
            gateway=gateway,
        )
        write_running(settings.data_folder, server)
        stack.callback(forget_running, settings.data_folder)
        yield server


def _start_stores(
    settings: Settings, stack: AsyncExitStack, say: Say
) -> tuple[Settings, list[EmbeddedServer]]:
    folder = settings.data_folder
    stores: list[EmbeddedServer] = []
    if settings.database_url is None:
        postgres_folder = folder / "postgres"
        is_new = not postgres_folder.exists()
        say("setting up PostgreSQL (once)" if is_new else "starting PostgreSQL")
        postgres = stack.enter_context(Postgres(postgres_folder))
        postgres.create_database(DATABASE_NAME)
        stores.append(postgres)
        settings = replace(settings, database_url=postgres.socket_dsn(DATABASE_NAME))
    if settings.redis_url is None:
        say("starting Valkey")
        valkey = stack.enter_context(Valkey(folder / "valkey"))
        stores.append(valkey)
        settings = replace(settings, redis_url=valkey.url)
    return settings, stores


def _start_gateway(
    settings: Settings,
    target: str,
    documents: Mapping[str, Path],
    stack: ExitStack,
    kept: list[EmbeddedServer],
    say: Say,
) -> str | None:
    """Start an Envoy where one is wanted, and return its address; a port of 0 is a free one."""
    if settings.gateway_port is None:
        return None
    if not is_installed("envoy"):
        say("there is no Envoy for this system, and so no gateway")
        return None
    if settings.gateway_port and not is_free(settings.gateway_port):
        raise PortInUse(
            f"127.0.0.1:{settings.gateway_port}: it is taken, and wanted for the gateway"
        )
    folder = settings.data_folder / "gateway"

    def configure(listen_port: int) -> str:
        write_files(folder)
        return envoy_yaml(
            listen=("127.0.0.1", listen_port),
            service=host_and_port(target),
            origins=settings.origins,
            folder=folder,
            pages=settings.pages,
            documents=documents,
        )

    say("starting Envoy")
    envoy = stack.enter_context(Envoy(folder, configure, port=settings.gateway_port or None))
    kept.append(envoy)
    return f"http://127.0.0.1:{envoy.port}"


async def _keep_stores(stores: Sequence[EmbeddedServer], say: Say) -> None:
    """Start again what has died, at the same address; it recovers by itself."""
    while True:
        await asyncio.sleep(STORE_LOOK_SECONDS)
        for store in stores:
            if store.is_running:
                continue
            say(f"{type(store).__name__} has died; starting it again")
            try:
                # In this thread, which lives as long as the store should.
                store.start()
            except (ServerFailed, DataFolderInUse, BadPages) as error:
                say(f"{type(store).__name__} does not start: {error}")


async def _prepare_database(settings: Settings, say: Say) -> None:
    assert settings.database_url is not None
    version = await migrate(settings.database_url)
    say(f"the database is at migration {version}")
    database = Database(settings.database_url, pool_size=1)
    try:
        await row_security.check(database)
        async with database.snapshot(ALL_BUSINESSES) as tx:
            locks = await predicate_locks_per_transaction(tx)
        if locks < PREDICATE_LOCKS_MIN:
            say(
                f"max_pred_locks_per_transaction is {locks}: batches of different businesses will"
                " fail each other and be repeated; set it to 4096"
            )
        await ensure_operator_key(database, settings.data_folder)
    finally:
        await database.close()


def _reserve(address: str) -> socket.socket:
    """Hold the port without listening on it: nobody else takes it, and the workers share it."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise PortInUse(f"{address}: {error.strerror}") from None
    reserved = socket.socket(family)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((host.strip("[]"), int(port)))
    return reserved


class Workers:
    """The worker processes, and the notifier: one that ends unasked is started again."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._environment = {**os.environ, **_environment(settings)}
        # By name: the command that runs it, and which of those it is.
        self._names = [*(f"worker {number}" for number in range(settings.workers)), "notifier"]
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def process_ids(self) -> list[int]:
        """The process ids of all of them."""
        return [process.pid for process in self._processes.values()]

    async def start(self) -> None:
        """Start all of them, and return when they are at work."""
        await asyncio.gather(*(self._spawn(name) for name in self._names))
        self._keepers = [asyncio.create_task(self._keep(name), name=name) for name in self._names]

    async def stop(self) -> None:
        """Ask them to drain, and wait; those that do not end in time are killed."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        running = [each for each in self._processes.values() if each.returncode is None]
        for process in running:
            process.terminate()
        await asyncio.gather(*(self._end(process) for process in running))

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            await asyncio.wait_for(process.wait(), self._settings.drain_seconds + 5)
        except TimeoutError:
            logger.warning("process %d did not stop in time and is killed", process.pid)
            process.kill()
            await process.wait()

    async def _spawn(self, name: str) -> None:
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "service",
                name.partition(" ")[0],
                "--ready-fd",
                str(write_end),
                # Held open while we live: a process whose standard input ends stops by itself.
                stdin=asyncio.subprocess.PIPE,
                env=self._environment,
                pass_fds=(write_end,),
                # Ctrl-C in a terminal reaches the whole group: the supervisor alone acts on it.
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        self._processes[name] = process
        try:
            await asyncio.wait_for(_readable(read_end), READY_SECONDS_MAX)
            if os.read(read_end, 1) != b"1":
                raise WorkerFailed(f"{name} ended while it started")
        except TimeoutError:
            process.kill()
            raise WorkerFailed(f"{name} was not ready within {READY_SECONDS_MAX:g} s") from None
        finally:
            os.close(read_end)

    async def _keep(self, name: str) -> None:
        pause_seconds = RESTART_SECONDS_FIRST
        while not self._stopping:
            code = await self._processes[name].wait()
            logger.warning("%s ended with %s; it is started again", name, code)
            await asyncio.sleep(pause_seconds)
            try:
                await self._spawn(name)
                pause_seconds = RESTART_SECONDS_FIRST
            except (WorkerFailed, OSError) as error:
                logger.warning("%s did not start: %s", name, error)
                pause_seconds = min(2 * pause_seconds, RESTART_SECONDS_MAX)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def _environment(settings: Settings) -> dict[str, str]:
    """What a process must be told that its parent worked out."""
    return {
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
        "SLOTCAST_LISTEN": settings.listen_address,
        "SLOTCAST_LOG_LEVEL": settings.log_level,
        "SLOTCAST_DATA": str(settings.data_folder),
        "SLOTCAST_TOKEN_SECRET": token_secret_bytes(settings).decode(),
        "SLOTCAST_SMTP_URL": settings.smtp_url or "",
        "SLOTCAST_MAIL_SENDER": settings.mail_sender,
        "SLOTCAST_PUBLIC_URL": settings.public_url or "",
        "SLOTCAST_OUTBOUND_PRIVATE": str(settings.outbound_private).lower(),
    }
