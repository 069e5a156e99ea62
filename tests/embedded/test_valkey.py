"""The Valkey that `slotcast demo` and these tests run on."""

import os

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from service.embedded.folder import DataFolderInUse
from service.embedded.valkey import Valkey


@pytest.fixture
def valkey(tmp_path):
    with Valkey(tmp_path) as server:
        yield server


def test_it_answers_by_tcp_and_by_socket(valkey):
    with Redis.from_url(valkey.url) as by_tcp:
        by_tcp.set("hint", 7)
        with Redis(
            unix_socket_path=str(valkey.socket_path),
            password=by_tcp.get_connection_kwargs()["password"],
        ) as by_socket:
            assert by_socket.get("hint") == b"7"


def test_the_port_asks_for_a_password(valkey):
    once = Retry(NoBackoff(), retries=0)
    with (
        Redis(host="127.0.0.1", port=valkey.port, retry=once) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_in_no_file_that_others_can_read(valkey):
    with Redis.from_url(valkey.url) as client:
        password = client.get_connection_kwargs()["password"]
    holding = [
        path
        for path in valkey.folder.rglob("*")
        if path.is_file() and password in path.read_text(errors="replace")
    ]

    assert [path.name for path in holding] == ["valkey.conf"]
    assert holding[0].stat().st_mode & 0o077 == 0


def test_it_keeps_nothing_on_disk_and_its_memory_is_bounded(valkey):
    with Redis.from_url(valkey.url) as client:
        assert client.config_get("save")["save"] == ""
        assert client.config_get("appendonly")["appendonly"] == "no"
        assert int(client.config_get("maxmemory")["maxmemory"]) > 0


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_clients_find_a_restarted_server_where_it_was(valkey, how):
    url = valkey.url
    with Redis.from_url(url) as client:
        client.set("hint", 7)
        if how == "killed":
            valkey.kill()
        else:
            valkey.stop()
        valkey.start()

        assert valkey.url == url
        # A hint may be lost; an old one must not come back.
        assert client.get("hint") is None


def test_a_second_start_on_the_same_folder_is_refused(valkey):
    with pytest.raises(DataFolderInUse, match="in use by process"):
        Valkey(valkey.folder).start()


def test_stop_leaves_no_process(tmp_path):
    server = Valkey(tmp_path).start()
    process_id = server.process_id

    server.stop()
    server.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
