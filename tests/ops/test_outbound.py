"""Requests to servers that tenants name: never to private addresses, and bounded in all."""

import asyncio
import gzip
import socket
import threading
import tracemalloc
import zlib
from contextlib import asynccontextmanager, nullcontext

import pytest
from aiohttp import web

from service.ops import outbound
from service.ops.outbound import Outbound, OutboundFailed, OutboundRefused, asking_for, is_public

MIB = 1024 * 1024


@asynccontextmanager
async def serving(handler, host="127.0.0.1"):
    """A real server; yields its URL."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(speak):
    """A server of bytes, which need not be HTTP; yields its URL."""
    ended = asyncio.Queue()

    async def answer(reader, writer):
        try:
            await speak(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            ended.put_nowait(None)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await ended.get()


async def get(url, *, allow_private=True, headers=None, bytes_max=MIB, seconds_max=10.0):
    async with Outbound(allow_private=allow_private) as client:
        return await client.get(url, headers=headers, bytes_max=bytes_max, seconds_max=seconds_max)


async def post(url, body=b"{}", *, allow_private=True, headers=None, bytes_max=MIB):
    async with Outbound(allow_private=allow_private) as client:
        return await client.post(
            url, body=body, headers=headers, bytes_max=bytes_max, seconds_max=10.0
        )


class Counted:
    """A server that counts who asked it."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    async def __call__(self, request):
        self.requests.append(request)
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer


async def test_an_answer_comes_with_its_status_headers_body_and_url():
    async def answer(request):
        return web.Response(status=404, body=b"none", headers={"ETag": '"a"'})

    async with serving(answer) as url:
        response = await get(f"{url}/there?is=1")
    assert (response.status, response.body) == (404, b"none")
    assert response.headers["etag"] == '"a"'
    assert response.url == f"{url}/there?is=1"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "localhost",
        "",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_known(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_a_public_address_is_known(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.0.0.2",
        "0.0.0.0",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
@pytest.mark.parametrize("method", [get, post])
async def test_however_loopback_is_written_nothing_connects_to_it(host, method):
    server = Counted(lambda _: web.Response())
    async with serving(server) as url:
        port = url.rsplit(":", 1)[1]
        with pytest.raises((OutboundRefused, OutboundFailed)) as caught:
            await method(f"http://{host}:{port}/", allow_private=False)
    assert not server.requests
    assert isinstance(caught.value, OutboundRefused) or "[::" in host


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1"]
)
async def test_a_number_that_is_no_usual_address_is_refused_even_where_private_ones_may_be(host):
    with pytest.raises(OutboundRefused, match="by a number"):
        await get(f"http://{host}:9/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_url_can_be_checked_without_asking_for_it(host):
    server = Counted(lambda _: web.Response())
    async with serving(server) as url, Outbound() as client, Outbound(allow_private=True) as open_:
        asked = f"http://{host}:{url.rsplit(':', 1)[1]}/"
        with pytest.raises(OutboundRefused, match="not public"):
            await client.check(asked)
        await open_.check(asked)
        with pytest.raises(OutboundFailed, match="not known"):
            await client.check("http://no-such-host.invalid/")
        with pytest.raises(OutboundRefused, match="must begin with"):
            await client.check("ftp://calendar.example/")
    assert not server.requests


async def test_a_name_is_judged_by_the_address_that_is_connected_to_at_last(monkeypatch):
    """It may have resolved to a public address when the feed was entered."""
    found = []

    def look_up(host, port, family):
        found.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(outbound, "_look_up", look_up)
    server = Counted(lambda _: web.Response())
    async with serving(server) as url:
        port = url.rsplit(":", 1)[1]
        with pytest.raises(OutboundRefused, match="not public"):
            await get(f"http://calendar.example:{port}/", allow_private=False)
    assert found == ["calendar.example"]
    assert not server.requests


class Names:
    """What looks names up. Those of `.tarpit.example` are answered when `free` is set."""

    def __init__(self):
        self.free = threading.Event()
        self.asked = []

    def look_up(self, host, port, family):
        self.asked.append(host)
        if host.endswith(".tarpit.example"):
            self.free.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]


@pytest.fixture
def names(monkeypatch):
    names = Names()
    monkeypatch.setattr(outbound, "_look_up", names.look_up)
    yield names
    names.free.set()


async def check_hanging(client, hosts, *, tenant=None):
    """Check hosts whose names hang, each until it is given up; return what was said."""

    async def check(host):
        with asking_for(tenant) if tenant else nullcontext():
            await client.check(f"https://{host}.tarpit.example/", seconds_max=60)

    said = await asyncio.gather(*(check(host) for host in hosts), return_exceptions=True)
    assert all(isinstance(each, OutboundFailed) for each in said)
    return {each.reason for each in said}


async def let_go(names, client):
    """Answer what hangs, and wait until all is answered."""
    names.free.set()
    while lookups := client._resolver._lookups.values():
        await asyncio.wait(lookups)


async def test_a_name_that_hangs_is_given_up_in_time(names, monkeypatch):
    monkeypatch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)

    with pytest.raises(OutboundFailed, match="could not be looked up in time"):
        await get("http://a.tarpit.example/", seconds_max=60)


async def test_names_that_hang_do_not_keep_others_waiting(names, monkeypatch):
    async with Outbound() as client:
        with monkeypatch.context() as patch:
            patch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)
            await check_hanging(client, range(31))

        await client.check("https://calendar.example/", seconds_max=60)
    assert not names.free.is_set()


async def test_a_name_that_hangs_is_looked_up_once_however_many_ask(names, monkeypatch):
    monkeypatch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)
    async with Outbound() as client:
        for _ in range(3):
            await check_hanging(client, ["one"] * 50)
        await let_go(names, client)
    assert names.asked == ["one.tarpit.example"]


async def test_the_names_of_one_tenant_take_no_more_than_its_lookups(names, monkeypatch):
    async with Outbound() as client:
        with monkeypatch.context() as patch:
            patch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)
            said = await check_hanging(client, range(50), tenant="one")
            assert said == {"The name of the host could not be looked up in time."}

        with asking_for("another"):
            await client.check("https://calendar.example/", seconds_max=60)
        with asking_for("one"):
            with monkeypatch.context() as patch:
                patch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)
                with pytest.raises(OutboundFailed, match="in time"):
                    await client.check("https://other.example/", seconds_max=60)
            assert "other.example" not in names.asked
            await let_go(names, client)
            await client.check("https://other.example/", seconds_max=60)
    tarpits = [host for host in names.asked if host.endswith(".tarpit.example")]
    assert len(tarpits) == outbound.LOOKUPS_PER_TENANT_MAX


async def test_a_tenant_of_many_names_has_them_all_looked_up_though_few_at_a_time(names):
    async with Outbound() as client:
        with asking_for("one"):
            hosts = [f"{number}.tarpit.example" for number in range(20)]
            checks = [
                asyncio.create_task(client.check(f"https://{host}/", seconds_max=60))
                for host in hosts
            ]
            while len(client._resolver._lookups) < outbound.LOOKUPS_PER_TENANT_MAX:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert len(client._resolver._lookups) == outbound.LOOKUPS_PER_TENANT_MAX
            names.free.set()
            await asyncio.gather(*checks)
    assert sorted(names.asked) == sorted(hosts)


async def test_beyond_the_lookups_that_wait_a_request_fails_at_once(names, monkeypatch):
    at_most = outbound.LOOKUPS_MAX + outbound.LOOKUPS_WAITING_MAX
    async with Outbound() as client:
        with monkeypatch.context() as patch:
            patch.setattr(outbound, "LOOKUP_SECONDS_MAX", 0.05)
            await check_hanging(client, range(at_most))
        monkeypatch.setattr(outbound, "LOOKUP_SECONDS_MAX", 600.0)
        with pytest.raises(OutboundFailed, match="in time"):
            await client.check("https://calendar.example/", seconds_max=10)
        await let_go(names, client)
    assert len(names.asked) == at_most


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://calendar.example/a",
        "gopher://calendar.example/",
        "//calendar.example/a",
        "calendar.example/a.ics",
        "http://",
        "http:///a",
        "http://user@calendar.example/",
        "http://user:password@calendar.example/",
        "http://:password@calendar.example/",
        "http://calendar.example:0/",
        "http://calendar.example:99999/",
        "http://[::1/",
        "http://calendar.example/" + "a" * 2048,
        "",
    ],
)
async def test_a_url_of_another_kind_or_with_a_password_is_refused(url):
    with pytest.raises(OutboundRefused):
        await get(url)


async def test_a_redirect_to_loopback_is_not_followed(monkeypatch):
    monkeypatch.setattr(outbound, "is_public", lambda address: address == "127.0.0.2")
    inner = Counted(lambda _: web.Response(body=b"secret"))
    async with serving(inner) as inner_url:
        outer = Counted(lambda _: web.Response(status=302, headers={"Location": inner_url}))
        async with serving(outer, "127.0.0.2") as url:
            with pytest.raises(OutboundRefused, match="not public"):
                await get(url, allow_private=False)
    assert len(outer.requests) == 1
    assert not inner.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status):
    def answer(request):
        if request.path == "/old":
            return web.Response(status=status, headers={"Location": "new?x=1#part"})
        return web.Response(body=b"here")

    server = Counted(answer)
    async with serving(server) as url:
        response = await get(f"{url}/old")
    assert (response.body, response.url) == (b"here", f"{url}/new?x=1")


async def test_redirects_come_to_an_end():
    server = Counted(lambda _: web.Response(status=302, headers={"Location": "/again"}))
    async with serving(server) as url:
        with pytest.raises(OutboundRefused, match="more than 5 times"):
            await get(url)
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://a:b@127.0.0.1/", "http://0x7f.1/", "http://[", "x:"]
)
async def test_a_redirect_to_what_could_not_be_asked_for_is_refused(location):
    async def answer(request):
        return web.Response(status=302, headers={"Location": location})

    async with serving(answer) as url:
        with pytest.raises(OutboundRefused):
            await get(url)


async def test_a_post_is_not_sent_on():
    server = Counted(lambda _: web.Response(status=307, headers={"Location": "/other"}))
    async with serving(server) as url:
        response = await post(url)
    assert response.status == 307
    assert len(server.requests) == 1


async def test_a_server_that_drips_is_given_up_in_time():
    """Each byte comes quickly; there is no end of them."""

    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0)

    async with serving(answer) as url:
        with pytest.raises(OutboundFailed, match="It took longer than"):
            await get(url, bytes_max=1024 * MIB, seconds_max=0.3)


async def test_a_server_that_says_nothing_is_given_up_in_time():
    async def hold(reader, writer):
        await reader.read()

    async with speaking(hold) as url:
        with pytest.raises(OutboundFailed, match="longer than"):
            await get(url, seconds_max=0.2)


@asynccontextmanager
async def endless():
    """A server whose body has no end; yields its URL and how many bytes it has sent."""
    sent = [0]

    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            sent[0] += 65536

    async with serving(answer) as url:
        yield url, sent


async def test_an_endless_body_is_refused_after_its_bytes():
    async with endless() as (url, sent):
        with pytest.raises(OutboundRefused, match="more than 1,048,576 bytes"):
            await get(url)
    assert sent[0] < 20 * MIB, "What lies between is buffers of the system."


async def test_of_what_a_post_is_answered_no_more_is_read_than_asked_for():
    async with endless() as (url, sent):
        response = await post(url, bytes_max=100)
    assert response.status == 200
    assert set(response.body) == {ord("x")}
    assert len(response.body) <= 101
    assert sent[0] < 20 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_small_body_that_unpacks_to_a_gigabyte_is_refused_in_little_memory(encoding):
    packing = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(packing.compress(bytes(MIB)) for _ in range(1024)) + packing.flush()
    assert len(bomb) < 2 * MIB

    async def answer(request):
        return web.Response(body=bomb, headers={"Content-Encoding": encoding})

    async with serving(answer) as url:
        tracemalloc.start()
        try:
            with pytest.raises(OutboundRefused, match="more than"):
                await get(url, bytes_max=5 * MIB)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 40 * MIB


async def test_a_packed_body_is_unpacked():
    async def answer(request):
        assert "gzip" in request.headers["Accept-Encoding"]
        return web.Response(body=gzip.compress(b"here"), headers={"Content-Encoding": "gzip"})

    async with serving(answer) as url:
        assert (await get(url)).body == b"here"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_a_server_that_speaks_out_of_order_fails_and_nothing_else(said):
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with speaking(speak) as url:
        with pytest.raises(OutboundFailed):
            await get(url)


async def test_who_is_not_there_or_has_no_certificate_fails_with_a_sentence():
    with pytest.raises(OutboundFailed, match="could not be connected"):
        await get("http://127.0.0.1:1/")
    with pytest.raises(OutboundFailed, match="not known"):
        await get("http://no-such-host.invalid/")
    async with serving(Counted(lambda _: web.Response())) as url:
        with pytest.raises(OutboundFailed, match="TLS"):
            await get(url.replace("http:", "https:"))


async def test_no_cookie_is_kept_and_no_proxy_is_taken_from_the_environment(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = Counted(lambda _: web.Response(headers={"Set-Cookie": "a=b; Path=/"}))
    async with serving(server) as url, Outbound(allow_private=True) as client:
        for _ in range(2):
            await client.get(url, bytes_max=10, seconds_max=10)
    assert [request.headers.get("Cookie") for request in server.requests] == [None, None]


async def test_a_post_carries_its_body_and_its_headers():
    async def answer(request):
        body = await request.read()
        return web.Response(body=request.headers["X-Mark"].encode() + body)

    async with serving(answer) as url:
        response = await post(url, b'{"a":1}', headers={"X-Mark": "m", "Content-Type": "a/b"})
    assert response.body == b'm{"a":1}'
