"""The Envoy that `slotcast demo` runs."""

import http.client
import json

import pytest

from service.embedded.envoy import Envoy
from service.embedded.folder import DataFolderInUse
from service.embedded.process import ServerFailed

FILTERS = "type.googleapis.com/envoy.extensions.filters"
HTTP = f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{FILTERS}.http.router.v3.Router"


def configuration(port):
    """Return what answers everything with 204."""
    routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 204}}]
    router = {"name": "router", "typed_config": {"@type": ROUTER}}
    http_filter = {
        "@type": HTTP,
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": http_filter}]}],
    }
    return json.dumps({"static_resources": {"listeners": [listener]}})


def status_at(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_it_comes_back_at_the_same_port(tmp_path, how):
    with Envoy(tmp_path, configuration) as envoy:
        port = envoy.port
        assert status_at(port) == 204
        if how == "stopped":
            envoy.stop()
        else:
            envoy.kill()
        assert not envoy.is_running
        envoy.start()

        assert envoy.port == port
        assert status_at(port) == 204


def test_a_folder_is_used_by_one_at_a_time(tmp_path):
    with Envoy(tmp_path, configuration), pytest.raises(DataFolderInUse):
        Envoy(tmp_path, configuration).start()


def test_a_port_that_is_taken_is_not_shared(tmp_path):
    with Envoy(tmp_path / "one", configuration) as one:
        other = Envoy(tmp_path / "other", configuration, port=one.port)
        with pytest.raises(ServerFailed):
            other.start()


def test_what_is_wrong_with_a_configuration_is_told(tmp_path):
    with pytest.raises(ServerFailed, match="unknown_part"):
        Envoy(tmp_path, lambda port: "unknown_part: {}").start()
