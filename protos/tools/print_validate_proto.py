"""Print `buf/validate/validate.proto` from the descriptor inside the protovalidate wheel.

No package ships the file itself, and `buf` would fetch it over the network. Comments are not in a
descriptor, so they are not in the output either; the field numbers, rules and options are.

    python protos/tools/print_validate_proto.py > protos/third_party/buf/validate/validate.proto
    buf format -w --path protos/third_party/buf
"""

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

# Imported for their descriptors, which the file's own descriptor refers to.
from google.protobuf import (
    descriptor_pool,
    duration_pb2,  # noqa: F401
    field_mask_pb2,  # noqa: F401
    text_format,
    timestamp_pb2,  # noqa: F401
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    OneofDescriptorProto,
)
from google.protobuf.message import Message

LABELS: Final = {
    FieldDescriptorProto.LABEL_OPTIONAL: "optional ",
    FieldDescriptorProto.LABEL_REQUIRED: "required ",
    FieldDescriptorProto.LABEL_REPEATED: "repeated ",
}
FIELD_NUMBER_MAX: Final = 2**29 - 1
INDENT: Final = "  "


def main() -> None:
    source = _wheel_file("protovalidate/_gen/buf/validate/validate_pb.py").read_text()
    serialized = _serialized_descriptor(source)
    # The file extends descriptor options and then uses its own extensions: they are parsed only
    # once the pool knows the file.
    descriptor_pool.Default().AddSerializedFile(serialized)
    file = FileDescriptorProto.FromString(serialized)
    sys.stdout.write("\n".join([*_notice(source), *_file(file)]) + "\n")


def _wheel_file(path: str) -> Path:
    package, _, rest = path.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        sys.exit(f"The package {package} is not installed.")
    return Path(spec.origin).parent / rest


def _serialized_descriptor(source: str) -> bytes:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "file_desc":
            return bytes(ast.literal_eval(node.args[0]))
    sys.exit("The wheel's module holds no descriptor where it used to.")


def _notice(source: str) -> Iterator[str]:
    """Yield the licence notice that the wheel's module opens with."""
    for line in source.splitlines():
        if not line.startswith("#"):
            break
        yield f"//{line[1:]}"
    yield "//"
    yield "// Printed from the descriptor by protos/tools/print_validate_proto.py."
    yield ""


def _file(file: FileDescriptorProto) -> Iterator[str]:
    yield f'syntax = "{file.syntax or "proto2"}";'
    yield f"package {file.package};"
    yield from (f'import "{path}";' for path in file.dependency)
    yield from (f"option {option};" for option in _options(file.options))
    for extendee, fields in groupby(file.extension, key=lambda field: field.extendee):
        yield from _block(
            f"extend {extendee}", (line for field in fields for line in _field(field))
        )
    for message in file.message_type:
        yield from _message(message)
    for enum in file.enum_type:
        yield from _enum(enum)


def _block(head: str, body: Iterable[str]) -> Iterator[str]:
    yield f"{head} {{"
    yield from (INDENT + line for line in body)
    yield "}"


def _message(message: DescriptorProto) -> Iterator[str]:
    yield from _block(f"message {message.name}", _message_body(message))


def _message_body(message: DescriptorProto) -> Iterator[str]:
    yield from (f"option {option};" for option in _options(message.options))
    yield from _reserved(
        [(span.start, span.end - 1) for span in message.reserved_range], message.reserved_name
    )
    for nested in message.nested_type:
        yield from _message(nested)
    for enum in message.enum_type:
        yield from _enum(enum)
    for choice, fields in groupby(message.field, key=_choice):
        if choice is None:
            yield from (line for field in fields for line in _field(field))
        else:
            yield from _oneof(message.oneof_decl[choice], fields)
    for span in message.extension_range:
        yield f"extensions {_span(span.start, span.end - 1)};"


def _choice(field: FieldDescriptorProto) -> int | None:
    """Return the index of the oneof that the field stands in, if it does."""
    is_member = field.HasField("oneof_index") and not field.proto3_optional
    return field.oneof_index if is_member else None


def _oneof(oneof: OneofDescriptorProto, fields: Iterable[FieldDescriptorProto]) -> Iterator[str]:
    options = [f"option {option};" for option in _options(oneof.options)]
    members = (line for field in fields for line in _field(field, label=""))
    yield from _block(f"oneof {oneof.name}", [*options, *members])


def _field(field: FieldDescriptorProto, *, label: str | None = None) -> Iterator[str]:
    kind = field.type_name or FieldDescriptorProto.Type.Name(field.type)[len("TYPE_") :].lower()
    options = _bracketed([*_default(field), *_options(field.options)])
    shown_label = LABELS[field.label] if label is None else label
    yield f"{shown_label}{kind} {field.name} = {field.number}{options};"


def _default(field: FieldDescriptorProto) -> Iterator[str]:
    if field.HasField("default_value"):
        is_text = field.type == FieldDescriptorProto.TYPE_STRING
        yield f"default = {_quoted(field.default_value) if is_text else field.default_value}"


def _enum(enum: EnumDescriptorProto) -> Iterator[str]:
    yield from _block(f"enum {enum.name}", _enum_body(enum))


def _enum_body(enum: EnumDescriptorProto) -> Iterator[str]:
    yield from (f"option {option};" for option in _options(enum.options))
    # Unlike a message's, an enum's reserved range includes its end.
    yield from _reserved(
        [(span.start, span.end) for span in enum.reserved_range], enum.reserved_name
    )
    for value in enum.value:
        yield f"{value.name} = {value.number}{_bracketed(_options(value.options))};"


def _reserved(spans: Iterable[tuple[int, int]], names: Iterable[str]) -> Iterator[str]:
    if numbers := ", ".join(_span(first, last) for first, last in spans):
        yield f"reserved {numbers};"
    if quoted := ", ".join(_quoted(name) for name in names):
        yield f"reserved {quoted};"


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first} to {'max' if last == FIELD_NUMBER_MAX else last}"


def _bracketed(options: Iterable[str]) -> str:
    joined = ", ".join(options)
    return f" [{joined}]" if joined else ""


def _options(options: Message) -> Iterator[str]:
    """Yield `name = value` for each option; a message's fields are set one by one."""
    for field, value in options.ListFields():
        name = f"({field.full_name})" if field.is_extension else field.name
        if field.is_extension and field.message_type and not field.is_repeated:
            for inner, inner_value in value.ListFields():
                yield from _option(f"{name}.{inner.name}", inner, inner_value)
        else:
            yield from _option(name, field, value)


def _option(name: str, field: FieldDescriptor, value: Any) -> Iterator[str]:
    for item in value if field.is_repeated else [value]:
        yield f"{name} = {_literal(field, item)}"


def _literal(field: FieldDescriptor, value: Any) -> str:
    if field.message_type:
        return "{ " + text_format.MessageToString(value, as_one_line=True) + " }"
    if field.enum_type:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    main()
