"""A cluster that is broken on purpose does what it says, or nothing that it shows means much."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from service.settings import Settings
from slotcast import (
    BookingStatus,
    Client,
    Customer,
    SlotcastError,
    SlotChoice,
    SlotTaken,
    Timeouts,
)
from tests.robustness.cluster.cluster import NODES, NOTIFIER, PROCESSES, Cluster, running_cluster
from tests.robustness.cluster.nodes import QUICK, ROOT, paced
from tests.robustness.history import Link
from tests.salon import make_salon

WHO = Customer(display_name="A visitor")
ONE_ATTEMPT = Timeouts(attempt_seconds=1.0, total_seconds=1.0, attempts_max=1)
PATIENT = Timeouts(total_seconds=60.0, attempts_max=100, back_off_seconds_max=0.2)

# Starts a cluster, stops a server of it, says which processes there are, and waits to be killed.
DRIVER = """
import asyncio, os, sys
from pathlib import Path
from tests.robustness.cluster.cluster import running_cluster

async def drive():
    async with running_cluster(Path(sys.argv[1])) as cluster:
        cluster.nodes["a"].stop()
        nodes = [node.process_id for node in cluster.nodes.values()]
        print(*nodes, cluster.postgres.server.process_id, cluster.valkey.process_id, flush=True)
        await asyncio.Event().wait()

asyncio.run(drive())
"""


@pytest.fixture
async def start(tmp_path):
    """Start a cluster with a business; it ends after the test."""
    async with AsyncExitStack() as stack:

        async def start_cluster(**options) -> Cluster:
            cluster = await stack.enter_async_context(running_cluster(tmp_path, **options))
            async with client_of(cluster, "a") as client:
                await make_salon(client)
            return cluster

        yield start_cluster


def client_of(cluster, node, timeouts=PATIENT):
    return Client(
        cluster.targets[node], api_key=cluster.operator_key, business="salon", timeouts=timeouts
    )


def at(hours):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    return SlotChoice(appointment_type="cut", calendar="chair-1", start=start + hours * HOUR)


HOUR = timedelta(hours=1)


async def book(cluster, node, hours, timeouts=PATIENT, **more):
    async with client_of(cluster, node, timeouts) as client:
        return await client.book(at(hours), customer=WHO, **more)


async def assert_there(cluster, booked):
    """What was answered is what every server says, and what PostgreSQL has."""
    for node in NODES:
        async with client_of(cluster, node) as client:
            for booking in booked:
                assert await client.get_booking(booking.name) == booking
    witness = await cluster.witness()
    stored = {str(booking.booking_id) for booking in witness.bookings}
    assert {booking.name.rpartition("/")[2] for booking in booked} <= stored
    assert witness.overlaps == []


async def until(condition):
    async with asyncio.timeout(60):
        while not await condition():
            pass


async def test_a_cluster_books_through_each_server_and_past_every_proxy(start):
    cluster = await start()
    booked = [await book(cluster, node, number) for number, node in enumerate(NODES)]

    await assert_there(cluster, booked)
    assert set(cluster.proxies) == {
        Link(*names)
        for node in NODES
        for names in (("clients", node), (node, "postgres"), (node, "valkey"))
    } | {Link(NOTIFIER, "postgres"), Link(NOTIFIER, "valkey")}
    # The notifier tells Valkey something only when it has changed something.
    unused = {*(Link("clients", node) for node in NODES), Link(NOTIFIER, "valkey")}
    for link in cluster.proxies.keys() - unused:
        assert cluster.proxies[link].connection_count > 0
    witness = await cluster.witness()
    assert {answer.principal_id for answer in witness.answered} == {cluster.principal_id}


async def test_a_killed_server_is_noticed_and_comes_back_where_it_was(start):
    cluster = await start()
    node = cluster.nodes["a"]
    noticed = asyncio.create_task(node.died())
    node.kill()

    assert await noticed == -signal.SIGKILL
    assert not node.is_running
    with pytest.raises(SlotcastError):
        await book(cluster, "a", 0, ONE_ATTEMPT)
    booked = [await book(cluster, "b", 1)]
    await node.restart()
    booked.append(await book(cluster, "a", 2))
    await assert_there(cluster, booked)


async def test_a_server_that_is_asked_to_end_drains(start):
    cluster = await start()
    node = cluster.nodes["a"]
    node.stop()
    node.terminate()

    assert await node.died() == 0


async def test_a_server_dies_at_its_failpoint_and_another_knows_what_it_had_done(start):
    cluster = await start()
    node = cluster.nodes["a"]
    await node.restart("AFTER_COMMIT")
    with pytest.raises(SlotcastError):
        await book(cluster, "a", 0, ONE_ATTEMPT, request_id="the-same")

    assert await node.died() == -signal.SIGKILL
    booking = await book(cluster, "b", 0, request_id="the-same")
    assert len((await cluster.witness()).bookings) == 1
    await cluster.heal()
    await assert_there(cluster, [booking])


async def test_a_server_that_stands_still_answers_when_it_goes_on(start):
    cluster = await start()
    cluster.nodes["a"].stop()
    with pytest.raises(SlotcastError):
        await book(cluster, "a", 0, ONE_ATTEMPT)

    asked = asyncio.create_task(book(cluster, "a", 1))
    booked = [await book(cluster, "b", 2)]
    cluster.nodes["a"].cont()
    booked.append(await asked)
    await assert_there(cluster, booked)


@pytest.mark.parametrize("standby", [False, True])
async def test_what_was_answered_is_there_after_postgres_was_shut_down_at_once(start, standby):
    cluster = await start(standby=standby)
    booked = [await book(cluster, NODES[number % 2], number) for number in range(4)]
    await cluster.crash_postgres()

    booked.append(await book(cluster, "a", 4))
    await assert_there(cluster, booked)


async def test_what_was_answered_is_there_after_a_failover(start):
    cluster = await start(standby=True)
    before = cluster.postgres.address
    booked = [await book(cluster, NODES[number % 2], number) for number in range(4)]
    await cluster.fail_over()

    assert cluster.postgres.address != before
    assert not cluster.has_standby
    booked += [await book(cluster, node, 4 + number) for number, node in enumerate(NODES)]
    await assert_there(cluster, booked)
    witness = await cluster.witness()
    assert [change.revision for change in witness.changes] == list(range(1, witness.revision + 1))


async def test_a_lost_primary_leaves_no_process_that_could_still_commit(start):
    cluster = await start(standby=True)
    await book(cluster, "a", 0)
    primary = cluster.postgres.server
    processes = [primary.process_id, *children_of(primary)]
    await cluster.fail_over()

    assert len(processes) > 5
    assert not any(is_alive(process_id) for process_id in processes)


async def test_a_commit_waits_for_the_standby(start):
    cluster = await start(standby=True)
    os.kill(cluster.postgres.standby.process_id, signal.SIGSTOP)
    for process_id in children_of(cluster.postgres.standby):
        os.kill(process_id, signal.SIGSTOP)
    with pytest.raises(SlotcastError):
        await book(cluster, "a", 0, ONE_ATTEMPT, request_id="the-same")

    for process_id in children_of(cluster.postgres.standby):
        os.kill(process_id, signal.SIGCONT)
    os.kill(cluster.postgres.standby.process_id, signal.SIGCONT)
    await assert_there(cluster, [await book(cluster, "b", 0, request_id="the-same")])


async def test_decisions_go_by_the_clock_that_was_set(start):
    cluster = await start(stepped_clock=True)
    async with client_of(cluster, "a") as owner, client_of(cluster, "b") as other:
        await owner.hold_slot(at(0), holder="owner")
        with pytest.raises(SlotTaken):
            await other.book(at(0), customer=WHO)
        # A hold of five minutes.
        await cluster.step_clock(timedelta(minutes=10))

        booking = await other.book(at(0), customer=WHO)
    assert booking.status is BookingStatus.CONFIRMED
    assert (await cluster.witness()).overlaps == []


@pytest.mark.parametrize("source_is_client", [True, False], ids=["from clients", "to PostgreSQL"])
async def test_a_blackhole_blocks_one_server_until_it_is_healed(start, source_is_client):
    cluster = await start()
    booked = [await book(cluster, node, number) for number, node in enumerate(NODES)]
    link = Link("clients", "a") if source_is_client else Link("a", "postgres")
    cluster.proxies[link].blackhole()

    with pytest.raises(SlotcastError):
        await book(cluster, "a", 2, ONE_ATTEMPT)
    booked.append(await book(cluster, "b", 3))
    cluster.proxies[link].heal()
    booked.append(await book(cluster, "a", 4))
    await assert_there(cluster, booked)


async def test_bookings_go_on_whatever_happens_to_valkey(start):
    cluster = await start()
    booked = []
    for number, node in enumerate(NODES):
        cluster.proxies[Link(node, "valkey")].blackhole()
        booked.append(await book(cluster, node, number))
    await cluster.heal()
    await cluster.kill_pubsub()
    booked += [await book(cluster, node, 2 + number) for number, node in enumerate(NODES)]
    await cluster.restart_valkey()
    booked += [await book(cluster, node, 4 + number) for number, node in enumerate(NODES)]

    await assert_there(cluster, booked)


async def test_a_session_of_a_server_can_be_ended(start):
    cluster = await start()
    booked = []
    for number in range(5):
        booked.append(await book(cluster, NODES[number % 2], number))
        assert await cluster.terminate_a_backend(Random(number)) in PROCESSES

    await assert_there(cluster, booked)


async def test_a_session_that_is_ended_is_told_by_its_server(start):
    cluster = await start()
    killed = "b", NOTIFIER
    for name in killed:
        cluster.nodes[name].kill()

    async def are_gone():
        ports = [each.port for each in await cluster.postgres.backends()]
        ways = [cluster.proxies[Link(name, "postgres")] for name in killed]
        return not any(way.comes_from(port) for way in ways for port in ports)

    await until(are_gone)
    assert await cluster.terminate_a_backend(Random(1)) == "a"


@pytest.mark.parametrize("tries_left", [1, 1000])
async def test_where_a_session_had_ended_by_itself_another_one_is(start, monkeypatch, tries_left):
    cluster, tried = await start(), []

    async def terminate(backend):
        tried.append(backend)
        return len(tried) > tries_left

    monkeypatch.setattr(cluster.postgres, "terminate", terminate)
    hit = await cluster.terminate_a_backend(Random(1))

    assert len(set(tried)) == len(tried) >= 2
    assert (hit in PROCESSES) if tries_left == 1 else (hit is None)


def test_a_pace_is_set_as_an_operator_would_set_it():
    settings = Settings.from_environment(paced(QUICK))

    assert paced(None) == {}
    assert {name: getattr(settings, name) for name in QUICK._fields} == QUICK._asdict()


async def test_the_witness_has_every_change_though_the_log_is_trimmed(start):
    cluster = await start(trims=True)
    booked = [await book(cluster, NODES[number % 2], number) for number in range(4)]

    async def is_trimmed():
        return len((await cluster.witness()).log_revisions) < booked[0].revision

    await until(is_trimmed)
    witness = await cluster.witness()
    assert [change.revision for change in witness.changes] == list(range(1, witness.revision + 1))
    assert witness.revision == booked[-1].revision
    await assert_there(cluster, booked)


async def test_all_ends_with_the_block_also_when_it_fails_and_the_logs_stay(tmp_path):
    processes = []

    async def fail():
        async with running_cluster(tmp_path, standby=True) as cluster:
            processes.extend(node.process_id for node in cluster.nodes.values())
            servers = (cluster.postgres.server, cluster.postgres.standby, cluster.valkey)
            processes.extend(server.process_id for server in servers)
            cluster.nodes["a"].stop()
            cluster.proxies[Link("b", "postgres")].blackhole()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert len(processes) == 6
    assert not any(is_alive(process_id) for process_id in processes)
    assert {path.name for path in tmp_path.rglob("*.log")} == {
        "a.log",
        "b.log",
        "notifier.log",
        "postgres.log",
        "valkey.log",
    }


async def test_nothing_is_left_when_who_drives_it_is_killed(tmp_path):
    driver = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DRIVER, tmp_path, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    processes = [int(text) for text in (await driver.stdout.readline()).split()]
    driver.kill()
    await driver.communicate()

    async def are_gone():
        return not any(is_alive(process_id) for process_id in processes)

    assert len(processes) == 5
    await until(are_gone)


def children_of(server):
    listed = Path(f"/proc/{server.process_id}/task/{server.process_id}/children")
    return [int(text) for text in listed.read_text().split()]


def is_alive(process_id):
    """Whether it still does something: one that nobody has asked for its end does not."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process_id}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
