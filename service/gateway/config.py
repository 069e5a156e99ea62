"""The configuration of Envoy, filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import NamedTuple

from service.gateway.descriptors import descriptor_set, service_names
from service.gateway.pages import FILE_BYTES_MAX, document_route, page_routes

DESCRIPTOR_NAME = "api.binpb"
OPENAPI_NAME = "openapi.json"
LOOPBACK_ORIGIN = r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
"""Any page of this machine: what the demo, and who builds a page, needs."""
NO_DOCUMENTS: Mapping[str, Path] = MappingProxyType({})
ROUTE_INDENT = " " * 24


class Pace(NamedTuple):
    """How long a call may take that is no watch, and how often a worker's connection is pinged."""

    call_seconds: int = 30
    # Workers send away who pings more often than once in 10 s.
    ping_seconds: float = 15.0


USUAL_PACE = Pace()


def envoy_yaml(
    *,
    listen: tuple[str, int],
    service: tuple[str, int],
    origins: Sequence[str],
    folder: Path,
    pace: Pace = USUAL_PACE,
    pages: Path | None = None,
    documents: Mapping[str, Path] = NO_DOCUMENTS,
) -> str:
    """Return a configuration; `origins`: whose pages may call, and none means those of loopback.

    `folder` is where Envoy finds what `write_files` has written; `pages` is a folder of built pages
    to be served, and `documents` are files beside them, by path. Raises BadPages.
    """
    patterns = [re.escape(origin) for origin in origins] or [LOOPBACK_ORIGIN]
    documents = {f"/{OPENAPI_NAME}": folder / OPENAPI_NAME, **documents}
    routes = [document_route(path, file) for path, file in documents.items()]
    routes += [] if pages is None else page_routes(pages)
    template = Template(files("service.gateway").joinpath("envoy.yaml").read_text())
    # JSON is YAML too.
    return template.substitute(
        listen_host=listen[0],
        listen_port=listen[1],
        service_host=service[0],
        service_port=service[1],
        **pace._asdict(),
        origins=json.dumps([{"safe_regex": {"regex": pattern}} for pattern in patterns]),
        services=json.dumps(service_names()),
        descriptor=folder / DESCRIPTOR_NAME,
        file_bytes_max=FILE_BYTES_MAX,
        file_routes="\n".join(f"{ROUTE_INDENT}- {json.dumps(route)}" for route in routes),
    )


def write_files(folder: Path) -> None:
    """Write the files that the configuration names."""
    (folder / DESCRIPTOR_NAME).write_bytes(descriptor_set())
    openapi = files("service.gateway").joinpath(OPENAPI_NAME)
    (folder / OPENAPI_NAME).write_bytes(openapi.read_bytes())
