"""A plain HTTP client, as little as the tests of the gateway need."""

import http.client
import json
import struct
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

SECONDS_MAX = 30.0
TRAILERS = 0x80


class Answer(NamedTuple):
    """One answer. `json` is None where it has no body."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def reason(self):
        """The reason that an error names."""
        return self.json["details"][0]["reason"]


class Event(NamedTuple):
    """One server-sent event: its id, empty where it has none, and its frame."""

    id: str
    frame: Any


class Web:
    """Asks one server, with a key."""

    def __init__(self, port, key=""):
        self.port = port
        self.headers = {"authorization": f"Bearer {key}"} if key else {}

    def get(self, path, query=None, **headers):
        return self.ask("GET", with_query(path, query), **headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, json.dumps(body or {}), **headers)

    def ask(self, method, path, body=None, **headers):
        with self.asking(method, path, body, **headers) as response:
            data = response.read()
            return Answer(response.status, lower(response.headers), json.loads(data or "null"))

    @contextmanager
    def asking(self, method, path, body=None, **headers):
        """Yield the answer, which may go on for ever."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        types = {} if body is None else {"content-type": "application/json"}
        try:
            connection.request(method, path, body, {**types, **self.headers, **named})
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    @contextmanager
    def events(self, path, query=None, **headers):
        """Yield the events of a stream as they come."""
        with self.asking("GET", with_query(path, query), **headers) as response:
            assert response.status == 200, response.read()
            assert response.headers["content-type"] == "text/event-stream"
            yield read_events(response)


def read_events(lines):
    """Read events as the specification says, which is all of it that is sent here."""
    event_id, data = "", []
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            event_id = value
        elif name == "data":
            data.append(value)
        elif not name:
            yield Event(event_id, json.loads("\n".join(data)))
            event_id, data = "", []


def ask_grpc_web(web, method, request):
    """Begin a call of grpc-web in its binary form."""
    message = request.SerializeToString()
    body = struct.pack(">BI", 0, len(message)) + message
    headers = {"content_type": "application/grpc-web+proto", "x_grpc_web": "1"}
    return web.asking("POST", method, body, **headers)


def read_grpc_web(response):
    """Read one frame: whether it has trailers, and its bytes."""
    kind, length = struct.unpack(">BI", response.read(5))
    return kind == TRAILERS, response.read(length)


def with_query(path, query):
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}
