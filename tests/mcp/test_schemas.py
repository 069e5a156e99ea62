"""What the tools say of themselves: schemas that hold, with examples that are right."""

import re
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError, validators

from slotcast_mcp.answers import Refusal
from slotcast_mcp.inputs import Question
from slotcast_mcp.refusals import Refused
from slotcast_mcp.schemas import output_schema
from slotcast_mcp.server import read_question
from slotcast_mcp.tools import TOOLS

EACH_TOOL = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)


def parts(schema):
    """All schemas within a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from parts(item)
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key in {"properties", "patternProperties"}:
                for each in value.values():
                    yield from parts(each)
            elif key not in {"examples", "default", "required", "enum"}:
                yield from parts(value)


@EACH_TOOL
def test_every_schema_is_of_2020_12(tool):
    listed = tool.listed()
    for schema in (listed.input_schema, listed.output_schema):
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"].endswith("2020-12/schema")
        assert schema["type"] == "object"


@EACH_TOOL
def test_every_limit_is_told_in_a_word_of_json_schema(tool):
    """Another word, such as `ge`, is valid, and says nothing to anyone."""
    words = {*Draft202012Validator.VALIDATORS, "$schema", "default", "description", "examples"}
    for schema in (tool.listed().input_schema, tool.listed().output_schema):
        for part in parts(schema):
            assert set(part) <= words


@EACH_TOOL
def test_every_example_is_valid_and_read(tool):
    schema = tool.listed().input_schema
    assert schema["examples"]
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)
        assert isinstance(tool.takes.model_validate(example), Question)


@EACH_TOOL
def test_every_example_of_an_argument_is_valid(tool):
    for schema in parts(tool.listed().input_schema):
        for example in schema.get("examples", []):
            Draft202012Validator(schema).validate(example)


@EACH_TOOL
def test_nothing_takes_what_it_does_not_name(tool):
    for schema in (tool.listed().input_schema, tool.listed().output_schema):
        objects = [
            part for part in parts(schema) if part.get("type") == "object" and "anyOf" not in part
        ]
        loose = [part for part in objects if "additionalProperties" not in part]
        assert objects
        assert not loose


@EACH_TOOL
def test_every_argument_says_what_it_is(tool):
    listed = tool.listed()
    assert listed.title
    assert listed.description
    for part in parts(listed.input_schema):
        for name, argument in part.get("properties", {}).items():
            assert argument.get("description"), name


@EACH_TOOL
def test_a_schema_is_whole_in_itself(tool):
    """Many clients follow no references, and take no choice at the top of what is asked."""
    for schema in (tool.listed().input_schema, tool.listed().output_schema):
        assert not [part for part in parts(schema) if "$ref" in part]
    assert not {"anyOf", "oneOf", "allOf"} & set(tool.listed().input_schema)


@EACH_TOOL
def test_what_changes_something_says_in_which_turn(tool):
    named = tool.listed().input_schema["properties"]
    assert ("turn" in named) is not tool.reads_only
    assert tool.listed().annotations.read_only_hint is tool.reads_only


@EACH_TOOL
def test_whoever_tells_a_time_is_told_the_zone(tool):
    if tool.name == "list_services":
        return
    schema = tool.listed().input_schema
    confirmed = schema["properties"].get("confirmed", {"required": []})
    assert "time_zone" in [*schema["required"], *confirmed["required"]]


def test_a_refusal_is_an_answer_too():
    refusal = Refusal(reason="SLOT_TAKEN", message="Gone.", retryable=False, next_step="Ask.")
    for tool in TOOLS.values():
        validator = Draft202012Validator(output_schema(*tool.answers))
        validator.validate(refusal.model_dump(mode="json", exclude_none=True))


def keeps_to(validator, pattern, text, _schema):
    """As ECMA-262 has it, where `$` is the end, also before a last newline."""
    if isinstance(text, str) and not re.search(pattern.replace("$", r"\Z"), text):
        yield ValidationError("It does not match.")


Strictly = validators.extend(Draft202012Validator, {"pattern": keeps_to})
VALUES = st.one_of(
    st.sampled_from(
        [None, True, False, 0, 1, -1, 4.0, 0.5, 1441, 10**30, 1e300, "", "3", "true", "a\n", "de"]
    ),
    st.sampled_from([[], {}, [1], ["x"], {"name": "x"}, ["x"] * 50, "x" * 130, "x" * 3000]),
    st.text("aZ0-|._@ \u00e9", min_size=1, max_size=5).filter(lambda text: not text.isspace()),
)


def places(value, at=()):
    """The places within a value, itself included."""
    yield at
    inside = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inside:
        yield from places(each, (*at, key))


def changed(draw, arguments):
    """Change something of a call: another value, one more, or one less."""
    arguments = deepcopy(arguments)
    at = draw(st.sampled_from([place for place in places(arguments) if place] or [("more",)]))
    inside = arguments
    for key in at[:-1]:
        inside = inside[key]
    match draw(st.sampled_from(["other", "more", "less"])):
        case "less":
            if at[-1] != "more":
                del inside[at[-1]]
        case "more" if isinstance(inside, dict):
            names = st.sampled_from(["more", "A b", "language", "minutes", "limit", "fields"])
            inside[draw(names)] = draw(VALUES)
        case _:
            inside[at[-1]] = draw(VALUES)
    return arguments


@EACH_TOOL
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
def test_what_the_schema_refuses_is_refused_and_nothing_else(tool, data):
    schema = tool.listed().input_schema
    arguments = data.draw(st.sampled_from(schema["examples"]))
    for _ in range(data.draw(st.integers(1, 3))):
        arguments = changed(data.draw, arguments)
    try:
        read_question(tool.takes, arguments)
        is_read = True
    except Refused:
        is_read = False
    assert Strictly(schema).is_valid(arguments) is is_read, arguments
