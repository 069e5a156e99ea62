"""JSON Schemas (2020-12) of what the tools take and answer, each whole in itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from slotcast_mcp.answers import Refusal, Told
from slotcast_mcp.inputs import Question

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PREFIX = "#/$defs/"


@cache
def input_schema(question: type[Question]) -> Schema:
    """Return the schema of a tool's arguments, with examples of whole calls."""
    return {"$schema": DIALECT, **_schema(question), "examples": question.examples}


@cache
def output_schema(*contents: type[Told]) -> Schema:
    """Return the schema of what a tool answers: what was asked for, or a refusal."""
    every = [*map(_schema, contents), _schema(Refusal)]
    return {"$schema": DIALECT, "type": "object", "anyOf": every}


def _schema(model: type[BaseModel]) -> Schema:
    whole = model.model_json_schema()
    inlined = _inline(whole, whole.get("$defs", {}))
    assert isinstance(inlined, dict)
    return inlined


def _inline(part: Any, definitions: Mapping[str, Schema]) -> Any:
    """Put each definition where it is used, for clients that follow no references; no titles."""
    if isinstance(part, list):
        return [_inline(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _inline({**definitions[part["$ref"].removeprefix(_PREFIX)], **beside}, definitions)
    return {
        key: {name: _inline(each, definitions) for name, each in value.items()}
        if key == "properties"
        else _inline(value, definitions)
        for key, value in part.items()
        if key not in {"$defs", "title"}
    }
