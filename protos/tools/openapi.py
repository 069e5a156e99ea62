"""Write the OpenAPI 3.1 document of the REST API from the protos.

    python protos/tools/openapi.py [FILE]

What Envoy's transcoder makes of the protos, said in OpenAPI: paths of `google.api.http`, messages
in their JSON form (https://protobuf.dev/programming-guides/json), the rules of `buf.validate` as
far as JSON Schema has them, comments as descriptions. No generator for 3.1 comes as a wheel or from
npm.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import (
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.rpc import status_pb2

from service.rpc.methods import SERVICES

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "service" / "gateway" / "openapi.json"
Json = dict[str, Any]
# A descriptor whose type says that it may be None where it never is.
Described = Any

INT64 = {"type": "string", "pattern": "^-?[0-9]+$"}
WELL_KNOWN: Mapping[str, Json] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
}
SCALARS: Mapping[int, Json] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0},
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_UINT64: INT64,
    FieldDescriptor.TYPE_FIXED64: INT64,
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number"},
}
# Classes of Unicode that the regular expressions of JSON Schema do not all know.
CLASSES = {r"\p{Cc}": r"\u0000-\u001f\u007f-\u009f", r"\p{Zl}": r"\u2028", r"\p{Zp}": r"\u2029"}
ID_PATTERN = "^[^/:?#]+$"
ADDRESS_PATTERN = "^[A-Za-z0-9_-]{20,200}([.]ics)?$"
KEY = "An API key, of an EventSource, which can send no header."
SHARED_FEED = "slotcast.v1.FeedService.GetSharedFeed"
WITH_ENTITY_TAGS = {
    "slotcast.v1.AvailabilityService.ListSlots",
    "slotcast.v1.CatalogService.GetCalendarFeed",
    SHARED_FEED,
}
SINGULAR = {"businesses": "business", "waitlist": "entry"}


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n")


def document() -> Json:
    """Return the document."""
    return _Writer(_comments(_built())).document()


def _built() -> FileDescriptorSet:
    """Return the protos with their comments, which the stubs do not have."""
    buf = Path(sys.executable).parent / "buf"
    command = [str(buf), "build", "--as-file-descriptor-set", "--output", "-"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return FileDescriptorSet.FromString(built.stdout)


class _Route(NamedTuple):
    """One way to call a method. `bound`: its fields that stand in the path, by parameter."""

    verb: str
    path: str
    body: str
    bound: list[tuple[str, str]]


class _Writer:
    """Writes the parts of the document, and remembers which messages it has named."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self._schemas: dict[str, Json] = {}

    def document(self) -> Json:
        paths: dict[str, Json] = {}
        for service in SERVICES.values():
            for method in service.methods:
                route = _route(method)
                paths.setdefault(route.path, {})[route.verb] = self._operation(method, route)
        status = self._ref(status_pb2.Status.DESCRIPTOR)
        error = {
            "description": "A refusal. `details` has its reason, and what to do next.",
            "content": {"application/json": {"schema": status}},
        }
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Slotcast",
                "version": "1",
                "description": "Appointment booking over REST; the same as over gRPC.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{"key": []}],
            "tags": [self._tag(service) for service in SERVICES.values()],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(self._schemas.items())),
                "responses": {"Error": error},
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            },
        }

    def _tag(self, service: ServiceDescriptor) -> Json:
        return {"name": service.name, "description": self._comment(service.full_name)}

    def _operation(self, method: MethodDescriptor, route: _Route) -> Json:
        comment = self._comment(method.full_name)
        operation: Json = {
            "operationId": method.name,
            "tags": [method.containing_service.name],
            "summary": comment.partition(". ")[0].removesuffix("."),
            "description": comment,
            "parameters": [*self._path_parameters(route), *self._query(method, route)],
            "responses": {
                "200": self._answer(method),
                "default": {"$ref": "#/components/responses/Error"},
            },
        }
        if route.body:
            schema = self._body(method, route)
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            }
        if method.full_name in WITH_ENTITY_TAGS:
            _add_entity_tags(operation)
        if method.full_name == SHARED_FEED:
            operation["security"] = []
        elif method.output_type.full_name == "google.api.HttpBody":
            operation["parameters"] += [
                _header("Last-Event-ID", "The id of the last event."),
                {"name": "key", "in": "query", "schema": {"type": "string"}, "description": KEY},
            ]
        return operation

    def _path_parameters(self, route: _Route) -> Iterator[Json]:
        for name, pattern in route.bound:
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": pattern},
            }

    def _query(self, method: MethodDescriptor, route: _Route) -> Iterator[Json]:
        if route.body == "*":
            return
        for field in _unbound(method):
            if field.name == route.body:
                continue
            schema = self._field(field)
            description = schema.pop("description", "")
            parameter: Json = {"name": field.json_name, "in": "query", "schema": schema}
            if _is_required(field):
                parameter["required"] = True
            yield {**parameter, "description": description}

    def _body(self, method: MethodDescriptor, route: _Route) -> Json:
        if route.body != "*":
            return self._field(method.input_type.fields_by_name[route.body])
        if method.client_streaming:
            return {"type": "array", "items": self._ref(method.input_type)}
        return self._object(_unbound(method))

    def _answer(self, method: MethodDescriptor) -> Json:
        if method.full_name == SHARED_FEED:
            content: Json = {"text/calendar": {"schema": {"type": "string"}}}
            return {"description": "An iCalendar file.", "content": content}
        if method.output_type.full_name == "google.api.HttpBody":
            content = {"text/event-stream": {"schema": {"type": "string"}}}
            return {"description": "A stream of server-sent events.", "content": content}
        answer = self._ref(method.output_type)
        if method.server_streaming:
            content = {"application/json": {"schema": {"type": "string"}}}
            return {"description": "A stream: a frame in JSON on each line.", "content": content}
        return {"description": "OK.", "content": {"application/json": {"schema": answer}}}

    def _ref(self, message: Described) -> Json:
        name = _name(message)
        if name not in self._schemas:
            # It may refer to itself.
            self._schemas[name] = {}
            self._schemas[name] = {
                **self._object(message.fields),
                "description": self._comment(message.full_name),
            }
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, fields: Any) -> Json:
        properties = {field.json_name: self._field(field) for field in fields}
        required = [field.json_name for field in fields if _is_required(field)]
        found: Json = {"type": "object", "properties": properties}
        return {**found, "required": required} if required else found

    def _field(self, field: Described) -> Json:
        description = {"description": self._comment(field.full_name)}
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if _is_map(field):
            value = field.message_type.fields_by_name["value"]
            return {
                "type": "object",
                "additionalProperties": self._one(value, rules.map.values),
                **description,
            }
        if not field.is_repeated:
            return {**self._one(field, rules), **description}
        found: Json = {"type": "array", "items": self._one(field, rules.repeated.items)}
        limits = {"minItems": "min_items", "maxItems": "max_items", "uniqueItems": "unique"}
        found |= _present(rules.repeated, limits)
        return {**found, **description}

    def _one(self, field: Described, rules: validate_pb2.FieldRules) -> Json:
        if field.type == FieldDescriptor.TYPE_ENUM:
            return self._enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            known = WELL_KNOWN.get(field.message_type.full_name)
            return dict(known) if known is not None else self._ref(field.message_type)
        return {**SCALARS[field.type], **_limits(field, rules)}

    def _enum(self, enum: Described) -> Json:
        name = _name(enum)
        self._schemas[name] = {
            "type": "string",
            "enum": [value.name for value in enum.values],
            "description": self._comment(enum.full_name),
        }
        return {"$ref": f"#/components/schemas/{name}"}

    def _comment(self, full_name: str) -> str:
        return self._comments.get(full_name, "")


def _route(method: MethodDescriptor) -> _Route:
    rule = _http(method)
    verb = rule.WhichOneof("pattern")
    bound: list[tuple[str, str]] = []

    def write(match: re.Match[str]) -> str:
        if match[2] is None:
            bound.append((match[1], ADDRESS_PATTERN))
            return match[0]
        segments = match[2].split("/")
        for collection, wildcard in zip(segments[::2], segments[1::2], strict=True):
            assert wildcard == "*", f"{method.full_name} has a path that is not understood."
            bound.append((SINGULAR.get(collection, collection.removesuffix("s")), ID_PATTERN))
        names = iter(bound[-len(segments) // 2 :])
        return "/".join(part if part != "*" else f"{{{next(names)[0]}}}" for part in segments)

    path = re.sub(r"\{([a-z_.]+)(?:=([^}]+))?\}", write, getattr(rule, verb))
    return _Route(verb, path, rule.body, bound)


def _http(method: MethodDescriptor) -> Any:
    # The stubs of google.api do not say what its extensions extend.
    extension: Any = annotations_pb2.http
    return method.GetOptions().Extensions[extension]


def _unbound(method: MethodDescriptor) -> list[FieldDescriptor]:
    """Return the fields of a request that do not stand in its path."""
    rule = _http(method)
    path = getattr(rule, rule.WhichOneof("pattern"))
    bound = {name.partition(".")[0] for name in re.findall(r"\{([a-z_.]+)[=}]", path)}
    return [field for field in method.input_type.fields if field.name not in bound]


def _is_required(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return bool(rules.required or rules.string.min_len or rules.repeated.min_items)


def _is_map(field: Described) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _name(described: Described) -> str:
    """Return what a message or an enum is called here: nested ones after what they are in."""
    outer = described.containing_type
    return f"{_name(outer)}.{described.name}" if outer else described.name


def _limits(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> Json:
    """Return the rules of a scalar that JSON Schema has too."""
    if field.type == FieldDescriptor.TYPE_STRING:
        limits = _present(rules.string, {"minLength": "min_len", "maxLength": "max_len"})
        if rules.string.HasField("pattern"):
            limits["pattern"] = _portable(rules.string.pattern)
        if rules.string.email:
            limits["format"] = "email"
        return limits
    if field.type == FieldDescriptor.TYPE_INT32:
        return _present(rules.int32, {"minimum": "gte", "maximum": "lte"})
    return {}


def _present(rules: Message, names: Mapping[str, str]) -> Json:
    return {
        ours: getattr(rules, theirs) for ours, theirs in names.items() if rules.HasField(theirs)
    }


def _portable(pattern: str) -> str:
    for theirs, ours in CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return pattern


def _header(name: str, description: str) -> Json:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "schema": schema, "description": description}


def _add_entity_tags(operation: Json) -> None:
    operation["parameters"].append(_header("If-None-Match", "The ETag of what one has."))
    operation["responses"]["200"]["headers"] = {
        "ETag": {"schema": {"type": "string"}, "description": "Tells this answer from any other."}
    }
    operation["responses"]["304"] = {"description": "It is still as it was told."}


def _comments(files: FileDescriptorSet) -> dict[str, str]:
    """Return the comments of all that is declared, by full name."""
    found: dict[str, str] = {}
    for file in files.file:
        for location in file.source_code_info.location:
            if location.leading_comments:
                name = _full_name(file, list(location.path))
                if name:
                    lines = location.leading_comments.strip().splitlines()
                    found[f"{file.package}.{name}"] = " ".join(line.strip() for line in lines)
    return found


def _full_name(described: Any, path: list[int]) -> str:
    """Follow a path of numbers of fields and of indexes to what it names; empty: to no name."""
    names = []
    while path:
        field = described.DESCRIPTOR.fields_by_number.get(path[0])
        if field is None or field.message_type is None or not field.is_repeated or len(path) < 2:
            return ""
        described = getattr(described, field.name)[path[1]]
        names.append(described.name)
        path = path[2:]
    return ".".join(names)


if __name__ == "__main__":
    main()
