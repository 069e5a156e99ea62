"""The PostgreSQL that `slotcast demo` and these tests run on."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from service.embedded.folder import DataFolderInUse
from service.embedded.postgres import Postgres
from service.embedded.process import ServerFailed

FEW_CONNECTIONS = {"max_connections": "20"}

# Starts a server, says where it is, and waits to be killed.
OWNER = """
import sys
from pathlib import Path
from service.embedded.postgres import Postgres
postgres = Postgres(Path(sys.argv[1]), durable=False, shared_buffers="16MB").start()
print(postgres.process_id, flush=True)
sys.stdin.read()
"""


def small(folder: Path) -> Postgres:
    return Postgres(folder, durable=False, shared_buffers="16MB", settings=FEW_CONNECTIONS)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with small(tmp_path_factory.mktemp("postgres") / "shared") as server:
        yield server


async def ask(dsn, statement):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def is_alive(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_takes_connections_by_tcp_and_by_socket(postgres):
    assert await ask(postgres.dsn(), "SELECT 1") == 1
    assert await ask(postgres.socket_dsn(), "SELECT 1") == 1


async def test_the_port_asks_for_a_password(postgres):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=postgres.port, user="postgres", password="a guess"
        )


def test_nobody_else_can_look_into_the_folder(postgres):
    assert postgres.folder.stat().st_mode & 0o077 == 0
    assert (postgres.folder / "password").stat().st_mode & 0o077 == 0


async def test_a_batch_can_lock_more_rows_than_by_default(postgres):
    assert await ask(postgres.socket_dsn(), "SHOW max_pred_locks_per_transaction") == "4096"


async def test_a_database_is_created_once_and_may_have_any_name(postgres):
    for name in ("slotcast", "slotcast", """it's "odd" """):
        postgres.create_database(name)

    assert await ask(postgres.socket_dsn("slotcast"), "SELECT current_database()") == "slotcast"
    assert await ask(postgres.dsn("""it's "odd" """), "SELECT 1") == 1


async def test_overlaps_can_be_excluded_by_a_constraint_that_leads_with_the_business(postgres):
    assert await ask(
        postgres.socket_dsn(),
        "SELECT count(*) FROM pg_available_extensions WHERE name IN ('btree_gist', 'pg_trgm')",
    )


async def test_durable_is_the_default(tmp_path):
    with Postgres(tmp_path, shared_buffers="16MB", settings=FEW_CONNECTIONS) as server:
        assert await ask(server.socket_dsn(), "SHOW fsync") == "on"
        assert await ask(server.socket_dsn(), "SHOW synchronous_commit") == "on"
        assert await ask(server.socket_dsn(), "SHOW full_page_writes") == "on"


async def test_data_and_addresses_survive_a_restart(tmp_path):
    server = small(tmp_path / "data folder").start()
    try:
        addresses = (server.dsn(), server.socket_dsn())
        await ask(server.dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop()
        server.start()

        assert (server.dsn(), server.socket_dsn()) == addresses
        assert await ask(server.dsn(), "SELECT answer FROM kept") == 42
    finally:
        server.stop()


async def test_data_survive_a_killed_server(tmp_path):
    server = small(tmp_path).start()
    try:
        await ask(server.dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
        # Written out, since without fsync only this promises it.
        await ask(server.dsn(), "CHECKPOINT")
        server.kill()
        server.start()

        assert await ask(server.dsn(), "SELECT answer FROM kept") == 42
    finally:
        server.stop()


async def test_a_stale_pid_that_belongs_to_another_program_by_now_does_no_harm(tmp_path):
    with small(tmp_path) as server:
        left = (tmp_path / "data" / "postmaster.pid").read_text().splitlines()
    left[0] = str(os.getppid())
    (tmp_path / "data" / "postmaster.pid").write_text("\n".join(left))

    with server:
        assert await ask(server.dsn(), "SELECT 1") == 1


def test_a_second_start_on_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    with small(tmp_path) as first:
        second = small(tmp_path)
        with pytest.raises(DataFolderInUse, match=f"in use by process {os.getpid()}"):
            second.start()

        assert is_alive(first.process_id)


def test_starting_a_running_server_again_changes_nothing(tmp_path):
    with small(tmp_path) as server:
        before = server.process_id

        assert server.start().process_id == before


def test_stop_leaves_no_process_and_may_be_called_twice(tmp_path):
    server = small(tmp_path).start()
    process_id = server.process_id

    server.stop()
    server.stop()

    assert not is_alive(process_id)
    assert not server.is_running


def test_a_server_whose_owner_was_killed_ends_and_its_folder_can_be_used_again(tmp_path):
    command = [sys.executable, "-c", OWNER, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        started = owner.stdout.readline()
        owner.kill()

    assert started
    # The orphan inherited the lock on the folder: starting waits for its end, and fails without.
    with small(tmp_path) as server:
        assert server.is_running


async def test_a_folder_too_deep_for_a_socket_has_it_elsewhere_and_nothing_is_left(tmp_path):
    server = small(tmp_path / ("deep" * 20) / ("er" * 20))
    with server:
        socket_folder = server._sockets.path
        assert await ask(server.socket_dsn(), "SELECT 1") == 1
        assert tmp_path not in socket_folder.parents
        assert socket_folder.stat().st_mode & 0o077 == 0

    assert not socket_folder.exists()


def test_a_server_that_cannot_start_says_why(tmp_path):
    server = Postgres(tmp_path, durable=False, settings={"max_connections": "many"})

    with pytest.raises(ServerFailed, match='invalid value for parameter "max_connections"'):
        server.start()

    assert not server.is_running
