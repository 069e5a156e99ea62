"""Write the rules of the widget's form from those of the protos.

    python protos/tools/form_rules.py [FOLDER]

Two files below `clients/web` in the folder, which is the repository unless another is named: the
rules as a table, and for the tests the messages themselves with their rules, which the stubs of the
widget do not have. To be run after `buf generate`, which empties `src/gen` first.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from slotcast.v1 import booking_service_pb2

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path("clients/web/src/gen/formRules.ts")
DESCRIPTORS = Path("clients/web/tests/form/descriptors.ts")
CUSTOMER = booking_service_pb2.Customer.DESCRIPTOR
BOOK_REQUEST = booking_service_pb2.BookRequest.DESCRIPTOR
KNOWN = {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "email": "email"}
"""What the form knows how to check. A rule that it does not know ends the generation."""

_TABLE_TEXT = """\
// Written by `make proto` from the rules in protos/slotcast/v1. Not to be edited.

/** The rules of one field. Lengths are in code points; what is `optional` may be empty. */
export interface FormRule {{
  readonly optional?: true;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly email?: true;
}}

export const formRules = {{
{rules}
}} satisfies Record<string, FormRule>;
"""
_DESCRIPTORS_TEXT = """\
// Written by `make proto` from protos/slotcast/v1. Not to be edited.

/** A FileDescriptorSet in base64: Customer, and the fields of BookRequest, with their rules. */
export const descriptors =
  "{encoded}";
"""


class FormField(NamedTuple):
    """A field of the form, and the rules of the text that it becomes."""

    name: str
    rules: validate_pb2.FieldRules


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    rules = "\n".join(_rule(field) for field in _fields())
    _write(folder / TABLE, _TABLE_TEXT.format(rules=rules))
    encoded = base64.b64encode(_descriptors().SerializeToString(deterministic=True)).decode()
    _write(folder / DESCRIPTORS, _DESCRIPTORS_TEXT.format(encoded=encoded))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _fields() -> Iterator[FormField]:
    for name in ("display_name", "email", "phone"):
        field = CUSTOMER.fields_by_name[name]
        yield FormField(field.json_name, _rules(field))
    answers = BOOK_REQUEST.fields_by_name["fields"]
    yield FormField("note", _rules(answers).map.values)


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    return field.GetOptions().Extensions[validate_pb2.field]


def _rule(field: FormField) -> str:
    given = {rule.name: value for rule, value in field.rules.string.ListFields()}
    others = {rule.name for rule, _ in field.rules.ListFields()} - {"string", "ignore"}
    unknown = sorted(given.keys() - KNOWN.keys() | others)
    if unknown or given.get("min_len", 1) != 1:
        sys.exit(f"The form does not know the rules of {field.name}: teach rules.ts {unknown}.")
    parts = [
        f"{ours}: {json.dumps(given[theirs])}" for theirs, ours in KNOWN.items() if theirs in given
    ]
    if field.rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        parts.insert(0, "optional: true")
    return f"  {field.name}: {{ {', '.join(parts)} }},"


def _descriptors() -> FileDescriptorSet:
    """Return both messages in a file of their own, which imports nothing."""
    file = FileDescriptorProto(
        name="slotcast/v1/form.proto",
        package=CUSTOMER.file.package,
        syntax="proto3",
        message_type=[_copy(CUSTOMER), _reduced(_copy(BOOK_REQUEST), "fields")],
    )
    return FileDescriptorSet(file=[file])


def _copy(message: Descriptor) -> DescriptorProto:
    copied = DescriptorProto()
    message.CopyToProto(copied)
    return copied


def _reduced(message: DescriptorProto, name: str) -> DescriptorProto:
    """Return the message with one of its fields, a map."""
    kept: list[FieldDescriptorProto] = [field for field in message.field if field.name == name]
    entry = kept[0].type_name.rpartition(".")[2]
    nested = [each for each in message.nested_type if each.name == entry]
    return DescriptorProto(name=message.name, field=kept, nested_type=nested)


if __name__ == "__main__":
    main()
