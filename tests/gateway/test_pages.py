"""Pages that the gateway serves: each file by its path, and none before the API."""

import gzip
import hashlib
import re
from base64 import b64encode

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.gateway.config import envoy_yaml, write_files
from service.gateway.pages import FILE_BYTES_MAX, BadPages, copy_pages, page_routes
from tests.gateway.requests import a_window
from tests.gateway.web import Web, lower

SCRIPT = "\n  document.title = 'ready';\n"
HOME = f"<!doctype html><title>Home</title><script>{SCRIPT}</script><p>{'long ' * 400}</p>"
LONG_SCRIPT = "export const long = 1;\n" * 200
FILES = {
    "index.html": HOME,
    "api/index.html": "<!doctype html><title>API</title>",
    "assets/chat-Df3_k2aB.js": LONG_SCRIPT,
    "element/slotcast-booking.js": LONG_SCRIPT,
    "element/chunks/de-D77-XxV4.js": "export const words = {};\n",
    "element/my-booking2.js": "",
    "element/my-Calendar.js": "",
    "pages.css": "p { color: red }\n" * 200,
    "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/plain.js": "",
    "x-20261127.js": "",
    "words in a name.txt": "text",
    "v1/businesses": "never seen",
    ".built": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, text in FILES.items():
        path = folder / (name if name != "v1/businesses" else "v1/businesses.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents") / "demo.json"
    path.write_text('{"business": "demo"}')
    return path


@pytest.fixture(scope="module")
def site(make_envoy, stack, folder, document):
    port = int(stack.address.rpartition(":")[2])
    with make_envoy(port, pages=folder, documents={"/demo.json": document}) as envoy:
        yield Web(envoy.port)


def read(web, path, method="GET", **headers):
    with web.asking(method, path, **headers) as response:
        return response.status, lower(response.headers), response.read()


@pytest.mark.parametrize(
    ("path", "name", "content_type"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/?lang=de", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/api/", "api/index.html", "text/html; charset=utf-8"),
        ("/assets/chat-Df3_k2aB.js", "assets/chat-Df3_k2aB.js", "text/javascript; charset=utf-8"),
        ("/pages.css", "pages.css", "text/css; charset=utf-8"),
        ("/words%20in%20a%20name.txt", "words in a name.txt", "text/plain; charset=utf-8"),
    ],
)
def test_a_page_is_served_with_its_type(site, path, name, content_type):
    status, headers, body = read(site, path)

    assert (status, body.decode()) == (200, FILES[name])
    assert headers["content-type"] == content_type
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/assets/chat-Df3_k2aB.js", "public, max-age=31536000, immutable"),
        ("/element/chunks/de-D77-XxV4.js", "public, max-age=31536000, immutable"),
        ("/assets/plain.js", "no-cache"),
        ("/element/slotcast-booking.js", "no-cache"),
        ("/element/my-booking2.js", "no-cache"),
        ("/element/my-Calendar.js", "no-cache"),
        ("/x-20261127.js", "no-cache"),
        ("/", "no-cache"),
        ("/demo.json", "no-store"),
    ],
)
def test_what_a_build_names_by_its_hash_is_kept_and_all_else_is_asked_for_again(site, path, cache):
    assert read(site, path)[1]["cache-control"] == cache


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "https://salon.example", "null"])
@pytest.mark.parametrize(
    "path",
    ["/element/slotcast-booking.js", "/element/chunks/de-D77-XxV4.js", "/pages.css", "/icon.svg"],
)
def test_a_page_of_any_origin_may_load_scripts_styles_and_pictures(site, path, origin):
    status, headers, _ = read(site, path, origin=origin)

    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/demo.json", "/openapi.json", "/words%20in%20a%20name.txt"]
)
def test_no_other_origin_may_read_a_page_or_the_key_of_one(site, path):
    status, headers, _ = read(site, path, origin="https://salon.example")

    assert status == 200
    assert "access-control-allow-origin" not in headers
    assert "cross-origin-resource-policy" not in headers


def test_what_any_origin_may_load_is_the_same_for_whoever_asks(site):
    """Else a cache would hand on what was answered to another origin, or to none."""
    asked = ({}, {"origin": "http://127.0.0.1:1"}, {"origin": "https://salon.example"})
    told = [read(site, "/element/slotcast-booking.js", **origin)[1] for origin in asked]

    assert [headers["access-control-allow-origin"] for headers in told] == ["*"] * 3


def test_a_folder_without_its_slash_leads_to_its_page(site):
    status, headers, _ = read(site, "/api")

    assert status == 301
    assert headers["location"].endswith("/api/")


def test_a_head_has_no_body(site):
    status, headers, body = read(site, "/", "HEAD")

    assert (status, body) == (200, b"")
    assert headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/assets/chat-Df3_k2aB.js", "/pages.css", "/openapi.json"])
def test_what_is_text_is_compressed_for_whoever_can_read_that(site, path):
    plain = read(site, path)
    zipped = read(site, path, accept_encoding="gzip")
    brotli = read(site, path, accept_encoding="gzip, br")

    assert "content-encoding" not in plain[1]
    assert zipped[1]["content-encoding"] == "gzip"
    assert gzip.decompress(zipped[2]) == plain[2]
    assert brotli[1]["content-encoding"] == "br"
    assert len(brotli[2]) < len(plain[2]) / 2
    assert "accept-encoding" in brotli[1]["vary"].lower()


def test_a_page_may_run_its_own_scripts_and_no_others(site):
    _, headers, _ = read(site, "/")

    digest = b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    scripts = re.findall(r"script-src ([^;]*)", headers["content-security-policy"])
    assert scripts == [f"'self' 'sha256-{digest}'"]


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/.built", "/../../.built", "//"])
def test_what_is_no_page_is_still_refused_in_json(site, path):
    answer = site.get(path) if path != "//" else site.post("/")

    assert answer.status == 404
    assert answer.json["code"] == 5


def test_no_page_stands_before_the_api(site, folder):
    assert (folder / "v1" / "businesses.txt").exists()

    assert site.get("/v1/businesses.txt").status == 404
    assert site.get("/v1/businesses").status == 401


def test_nothing_that_streams_or_is_asked_of_the_service_is_compressed(site, shop):
    site = Web(site.port)
    site.headers = shop.web.headers
    everything = {"accept_encoding": "gzip, br"}
    with site.asking("GET", f"{shop.path}/slots", **everything) as listed:
        assert "content-encoding" not in lower(listed.headers)
    with site.events(f"{shop.path}/slots:events", a_window(), **everything) as events:
        assert next(events).frame["snapshotChunk"]
    whole = f"{shop.path}/slots:watch?startTime={a_window()['startTime']}"
    with site.asking("GET", f"{whole}&endTime={a_window()['endTime']}", **everything) as lines:
        assert "content-encoding" not in lower(lines.headers)
        assert b"snapshotChunk" in lines.readline()


def test_a_file_that_the_gateway_cannot_hold_is_refused_with_its_name(tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "large.js").write_bytes(bytes(FILE_BYTES_MAX + 1))

    with pytest.raises(BadPages, match=r"large\.js has more than 4 MiB"):
        page_routes(tmp_path)


def test_a_file_of_no_known_type_is_refused_with_its_name(tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "program.exe").write_text("")

    with pytest.raises(BadPages, match=r"program\.exe"):
        page_routes(tmp_path)


def test_a_folder_that_holds_no_pages_is_refused(tmp_path):
    write_files(tmp_path)

    with pytest.raises(BadPages, match=r"no index\.html"):
        envoy_yaml(
            listen=("127.0.0.1", 1),
            service=("127.0.0.1", 2),
            origins=[],
            folder=tmp_path,
            pages=tmp_path,
        )


def test_for_an_envoy_elsewhere_the_pages_are_copied_beside_its_configuration(folder, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "old.html").write_text("from before")

    command = ["gateway", str(tmp_path), "--pages", str(folder)]
    CliRunner().invoke(app, command, catch_exceptions=False)

    assert (tmp_path / "pages" / "index.html").read_text() == HOME
    assert not (tmp_path / "pages" / "old.html").exists()
    assert not (tmp_path / "pages" / ".built").exists()
    assert str(tmp_path / "pages" / "index.html") in (tmp_path / "envoy.yaml").read_text()


def test_pages_that_are_in_place_already_are_left_there(folder):
    copy_pages(folder, folder)

    assert (folder / "index.html").read_text() == HOME
