"""Pages that the gateway serves: each file of a folder becomes a route that answers with it."""

from __future__ import annotations

import hashlib
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

FILE_BYTES_MAX = 4 * 1024 * 1024
"""Envoy keeps the files in memory."""
INDEX = "index.html"
HASHED = re.compile(r"(^|/)(assets|chunks)/(.*/)?[^/]*-[\w-]{8}\.\w+$")
"""Where builds of Vite's have what is never another file, and how its name ends there."""
FOR_OTHER_ORIGINS = {".css", ".js", ".svg"}
"""What a page of anybody's may load: nothing in it is meant for one visitor only."""
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
POLICY = (
    "default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
_ON = {"@type": _FILTER_CONFIG, "config": {}}
_OFF = {"@type": _FILTER_CONFIG, "disabled": True}
Json = dict[str, Any]


class BadPages(Exception):
    """A folder cannot be served as pages."""


def page_routes(folder: Path) -> list[Json]:
    """Return a route for each file, whose text Envoy reads when it starts. Raises BadPages."""
    return [route for file in _files(folder) for route in _routes(folder, file)]


def document_route(path: str, file: Path) -> Json:
    """Return the route of one document that no cache may keep."""
    return _answer(path, file, "no-store", CONTENT_TYPES[file.suffix])


def copy_pages(source: Path, target: Path) -> None:
    """Copy what is served into a folder of its own, instead of what was there. Raises BadPages."""
    files = _files(source)
    if source.resolve() == target.resolve():
        return
    shutil.rmtree(target, ignore_errors=True)
    for file in files:
        copied = target / file.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)


def _files(folder: Path) -> list[Path]:
    if not (folder / INDEX).is_file():
        raise BadPages(f"{folder} has no {INDEX}: it is no folder of built pages.")
    found = (file for file in folder.rglob("*") if file.is_file())
    files = sorted(file for file in found if not _is_hidden(file.relative_to(folder)))
    for file in files:
        if file.suffix not in CONTENT_TYPES:
            raise BadPages(f"{file}: the gateway knows no type for a file with this ending.")
        if file.stat().st_size > FILE_BYTES_MAX:
            mebibytes = FILE_BYTES_MAX // 1024**2
            raise BadPages(f"{file} has more than {mebibytes} MiB, which the gateway cannot serve.")
    return files


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _routes(folder: Path, file: Path) -> Iterator[Json]:
    name = file.relative_to(folder)
    is_hashed = HASHED.search(name.as_posix()) is not None
    cache = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
    content_type = CONTENT_TYPES[file.suffix]
    path = f"/{quote(name.as_posix())}"
    if file.suffix != ".html":
        yield _answer(path, file, cache, content_type, *_sharing(file))
        return
    policy = ("content-security-policy", _policy(file))
    yield _answer(path, file, cache, content_type, policy)
    if file.name == INDEX:
        yield _answer(path.removesuffix(INDEX), file, cache, content_type, policy)
        if bare := path.removesuffix(f"/{INDEX}"):
            yield _redirect(bare, f"{bare}/")


def _answer(path: str, file: Path, cache: str, content_type: str, *more: tuple[str, str]) -> Json:
    headers = (("content-type", content_type), ("cache-control", cache), *more)
    return {
        **_match(path),
        "direct_response": {"status": 200, "body": {"filename": str(file.absolute())}},
        "response_headers_to_add": [
            {
                "header": {"key": key, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for key, value in headers
        ],
    }


def _sharing(file: Path) -> Iterator[tuple[str, str]]:
    """Let other origins load it; Envoy's filter for that looks at no route that answers itself."""
    if file.suffix in FOR_OTHER_ORIGINS:
        yield "access-control-allow-origin", "*"
        yield "cross-origin-resource-policy", "cross-origin"


def _redirect(path: str, target: str) -> Json:
    return {**_match(path), "redirect": {"path_redirect": target}}


def _match(path: str) -> Json:
    method = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    return {
        "match": {"path": path, "headers": [method]},
        "typed_per_filter_config": {
            "brotli": _ON,
            "gzip": _ON,
            "envoy.filters.http.grpc_json_transcoder": _OFF,
        },
    }


def _policy(file: Path) -> str:
    """Allow the scripts of this origin, and those that stand in the page itself."""
    parser = _InlineScripts()
    parser.feed(file.read_text())
    parser.close()
    hashes = (hashlib.sha256(script.encode()).digest() for script in parser.scripts)
    quoted = (f"'sha256-{b64encode(digest).decode()}'" for digest in hashes)
    return POLICY.format(scripts=" ".join(("'self'", *quoted)))


class _InlineScripts(HTMLParser):
    """Collects the texts of the scripts that a page has in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and "src" not in dict(attrs)
        if self._is_inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.scripts[-1] += data
