"""The configuration of Envoy, filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from service.gateway.descriptors import descriptor_set, service_names

DESCRIPTOR_NAME = "api.binpb"
OPENAPI_NAME = "openapi.json"
CALL_SECONDS_MAX = 30
LOOPBACK_ORIGIN = r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
"""Any page of this machine: what the demo, and who builds a page, needs."""


def envoy_yaml(
    *,
    listen: tuple[str, int],
    service: tuple[str, int],
    origins: Sequence[str],
    folder: Path,
    call_seconds: int = CALL_SECONDS_MAX,
) -> str:
    """Return a configuration; `origins`: whose pages may call, and none means those of loopback.

    `folder` is where Envoy finds what `write_files` has written; `call_seconds` is how long a call
    may take that is no watch.
    """
    patterns = [re.escape(origin) for origin in origins] or [LOOPBACK_ORIGIN]
    template = Template(files("service.gateway").joinpath("envoy.yaml").read_text())
    # JSON is YAML too.
    return template.substitute(
        listen_host=listen[0],
        listen_port=listen[1],
        service_host=service[0],
        service_port=service[1],
        call_seconds=call_seconds,
        origins=json.dumps([{"safe_regex": {"regex": pattern}} for pattern in patterns]),
        services=json.dumps(service_names()),
        descriptor=folder / DESCRIPTOR_NAME,
        openapi=folder / OPENAPI_NAME,
    )


def write_files(folder: Path) -> None:
    """Write the files that the configuration names."""
    (folder / DESCRIPTOR_NAME).write_bytes(descriptor_set())
    openapi = files("service.gateway").joinpath(OPENAPI_NAME)
    (folder / OPENAPI_NAME).write_bytes(openapi.read_bytes())
