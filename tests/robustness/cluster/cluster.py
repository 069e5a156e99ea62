"""A cluster in a test: PostgreSQL, Valkey, two servers and a notifier, and ways to break them.

    clients ─→ a ─→ postgres (─→ standby)
            ╲   ╲─→ valkey
             ╲→ b ─→ ...
        notifier ─→ ...

Every arrow but the last is a FaultProxy. All of it ends when the block ends, or with this process;
what the servers logged stays in the folder.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis

from service.cli.api_key import SCOPES, ensure_operator_key
from service.embedded.valkey import Valkey
from service.store import api_keys
from service.store.api_keys import ApiKey
from service.store.database import Database
from service.store.migrate import migrate
from service.store.scope import ALL_BUSINESSES
from tests.robustness.catalogue import BUSINESS, SECOND_KEY, STRANGERS_KEY, Key
from tests.robustness.cluster import load, witness
from tests.robustness.cluster import stepped_clock as clock
from tests.robustness.cluster.keeper import Keeper
from tests.robustness.cluster.nodes import QUICK, Node, Pace
from tests.robustness.cluster.postgres_pair import Backend, PostgresPair
from tests.robustness.cluster.proxy import Address, FaultProxy
from tests.robustness.history import Link, Witness

NODES = ("a", "b")
NOTIFIER = "notifier"
PROCESSES = (*NODES, NOTIFIER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """All that runs, and what can be done to it. `targets` are where clients call each server.

    `nodes` are the servers and the notifier, by their names.
    """

    targets: Mapping[str, str]
    proxies: Mapping[Link, FaultProxy]
    nodes: Mapping[str, Node]
    operator_key: str
    postgres: PostgresPair
    valkey: Valkey
    keeper: Keeper

    @property
    def principal_id(self) -> str:
        """Whose key the operator's is."""
        return self.operator_key.split("_")[1]

    @property
    def has_standby(self) -> bool:
        """Whether PostgreSQL can fail over; it can once."""
        return self.postgres.has_standby

    async def restart_valkey(self) -> None:
        """Kill Valkey, and start it again, empty, at the same address."""
        await self.keeper.do(self._restart_valkey)

    async def kill_pubsub(self) -> int:
        """Let Valkey end the connections of all who subscribe to something; say how many."""
        async with Redis.from_url(self.valkey.url) as redis:
            return int(await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))

    async def terminate_a_backend(self, random: Random) -> str | None:
        """Let PostgreSQL end a session of one of ours; say whose. None: none of them had any."""
        backends = await self.postgres.backends()
        random.shuffle(backends)
        for backend in backends:
            node = self._whose(backend)
            if node is not None and await self.postgres.terminate(backend):
                return node
        return None

    def _whose(self, backend: Backend) -> str | None:
        """Return the process whose session it is; None: it has left it behind."""
        for name in PROCESSES:
            if self.proxies[Link(name, "postgres")].comes_from(backend.port):
                return name
        return None

    async def crash_postgres(self) -> None:
        """Shut PostgreSQL down at once and start it; returns when it takes connections again."""
        await self.postgres.crash()

    async def fail_over(self) -> None:
        """Lose PostgreSQL, and go on with its standby."""
        await self.postgres.fail_over()
        for name in PROCESSES:
            proxy = self.proxies[Link(name, "postgres")]
            proxy.upstream = self.postgres.address

    async def step_clock(self, offset: timedelta) -> None:
        """Let PostgreSQL's clock be so far from that of the machine, from now on."""
        async with self.postgres.connected() as connection:
            await clock.set_clock(connection, offset)

    async def heal(self) -> None:
        """Take back what is wrong on any way, let all go on, and start what has died."""
        for proxy in self.proxies.values():
            proxy.heal()
        for node in self.nodes.values():
            node.cont()
        dead = [node for node in self.nodes.values() if not node.is_running]
        await asyncio.gather(*(node.restart() for node in dead))

    async def witness(self) -> Witness:
        """Ask PostgreSQL itself what it has, and ever had, of the business."""
        async with self.postgres.connected() as connection:
            return await witness.read_witness(connection, BUSINESS)

    async def figures(self) -> dict[str, float]:
        """Return how much there is of what must not grow, in the servers and in PostgreSQL."""
        async with self.postgres.connected() as connection:
            figures = await load.figures_of_postgres(connection)
        for name in NODES:
            for what, number in load.figures_of_process(self.nodes[name]).items():
                figures[f"{name}: {what}"] = number
        return figures

    def _restart_valkey(self) -> None:
        self.valkey.kill()
        self.valkey.start()


@asynccontextmanager
async def running_cluster(
    folder: Path,
    *,
    standby: bool = False,
    stepped_clock: bool = False,
    trims: bool = False,
    tells_figures: bool = False,
    pace: Pace | None = QUICK,
) -> AsyncIterator[Cluster]:
    """Start all of it, and end it with the block.

    Without a pace the servers have that of the defaults.
    """
    async with AsyncExitStack() as stack:
        keeper = await stack.enter_async_context(Keeper())
        postgres = PostgresPair(folder, keeper, standby=standby)
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        valkey = Valkey(folder / "valkey")
        stack.push_async_callback(keeper.do, valkey.stop)
        await keeper.do(valkey.start)
        operator_key = await _prepare(postgres, folder, stepped_clock=stepped_clock)
        await postgres.start_standby()
        proxies = {
            link: await stack.enter_async_context(FaultProxy(upstream))
            for link, upstream in _links_of_nodes(postgres, valkey).items()
        }
        nodes = {
            name: Node(
                name,
                folder,
                database_url=_through(proxies[Link(name, "postgres")], postgres.dsn),
                redis_url=_through(proxies[Link(name, "valkey")], valkey.url),
                trims=trims,
                tells_figures=tells_figures,
                pace=pace,
                is_notifier=name == NOTIFIER,
            )
            for name in PROCESSES
        }
        for node in nodes.values():
            stack.push_async_callback(node.end)
        for name in NODES:
            proxy = await stack.enter_async_context(FaultProxy(nodes[name].address))
            proxies[Link("clients", name)] = proxy
        await asyncio.gather(*(node.start() for node in nodes.values()))
        yield Cluster(
            targets={name: str(proxies[Link("clients", name)].address) for name in NODES},
            proxies=proxies,
            nodes=nodes,
            operator_key=operator_key,
            postgres=postgres,
            valkey=valkey,
            keeper=keeper,
        )


async def _prepare(postgres: PostgresPair, folder: Path, *, stepped_clock: bool) -> str:
    """Make the tables, what watches them, the operator's key, and those of others."""
    await migrate(postgres.dsn)
    async with postgres.connected() as connection:
        await witness.install(connection)
        if stepped_clock:
            await clock.install(connection)
    database = Database(postgres.dsn, pool_size=1)
    try:
        async with database.transaction(ALL_BUSINESSES) as tx:
            for key in (SECOND_KEY, STRANGERS_KEY):
                await api_keys.add(tx, _api_key(key))
        return await ensure_operator_key(database, folder)
    finally:
        await database.close()


def _api_key(key: Key) -> ApiKey:
    return ApiKey(
        key_id=key.principal,
        business_id=key.business_id,
        display_name=key.principal,
        secret_hash=hashlib.sha256(key.text.rpartition("_")[2].encode()).digest(),
        scopes=frozenset(SCOPES),
    )


def _links_of_nodes(postgres: PostgresPair, valkey: Valkey) -> dict[Link, Address]:
    assert valkey.port is not None, "Valkey was started."
    upstreams = {"postgres": postgres.address, "valkey": Address("127.0.0.1", valkey.port)}
    return {Link(name, target): upstreams[target] for name in PROCESSES for target in upstreams}


def _through(proxy: FaultProxy, url: str) -> str:
    """Return the same URL with the proxy's address."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@{proxy.address}"))
