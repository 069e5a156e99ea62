"""The innermost layer: what the protos ask of a request's fields."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from protovalidate import EvaluationError, FieldPathElementPb, Validator, Violation

from service.rpc.call import Behaviour, Call
from service.rpc.convert.times import NO_INSTANT, is_instant
from service.rpc.interceptors.layer import Layer
from service.rpc.methods import METHODS, Method
from service.rpc.status import FieldViolation, InvalidFields

VIOLATIONS_MAX = 8
"""The rest is not told: the answer must fit into what a client accepts as metadata."""
DESCRIPTION_LENGTH_MAX = 200
RULES_OF_ORDER = frozenset({"window", "span"})
FIELDS_BY_RULE = {"window": "end_time", "span": "end_time", "calendars": "any_of"}
"""The field to name where a rule is one of a whole message, by the rule's id."""
KEY = re.compile(r"[a-z0-9_.-]{1,64}")

_validator = Validator()


class Validation(Layer):
    """Refuses requests that break a rule of the protos. A stream's are checked one by one."""

    def __init__(self) -> None:
        """Compile the rules of every request, so that no call has to wait for it."""
        super().__init__()
        for method in METHODS.values():
            _validator.collect_violations(method.request_class())

    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Check the request first."""
        if method.streams_requests:
            return inner

        async def answer(request: Any, call: Call) -> Any:
            check(request)
            return await inner(request, call)

        return answer


def check(request: Message) -> None:
    """Raise InvalidFields where a request breaks a rule of the protos."""
    violations = _violations(request)
    if violations:
        raise InvalidFields(tuple(violations[:VIOLATIONS_MAX]))


def _violations(request: Message) -> list[FieldViolation]:
    try:
        broken = _validator.collect_violations(request)
    except EvaluationError:
        # Times that are none can be too far apart for a rule to subtract.
        no_times = _no_times(request)
        if not no_times:
            raise
        return no_times
    if not broken:
        return []
    no_times = _no_times(request)
    if no_times:
        # Their order says nothing, and would blame the wrong one.
        broken = [each for each in broken if each.proto.rule_id not in RULES_OF_ORDER]
    return no_times + [_violation(each) for each in broken[:VIOLATIONS_MAX]]


def _violation(violation: Violation) -> FieldViolation:
    field = violation.proto.field
    steps = [_element(element) for element in field.elements] if field else []
    if violation.proto.rule_id in FIELDS_BY_RULE:
        steps.append(FIELDS_BY_RULE[violation.proto.rule_id])
    path = ".".join(steps) or "request"
    return FieldViolation(path, violation.proto.message[:DESCRIPTION_LENGTH_MAX])


def _no_times(request: Message) -> list[FieldViolation]:
    paths = islice(_paths_of_no_times(request, ""), VIOLATIONS_MAX)
    return [FieldViolation(path, NO_INSTANT) for path in paths]


def _paths_of_no_times(message: Message, path: str) -> Iterator[str]:
    """Find the timestamps in a request, at any depth, that no calendar has."""
    if isinstance(message, Timestamp):
        if not is_instant(message):
            yield path
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        step = f"{path}.{field.name}" if path else field.name
        if field.is_repeated:
            for place, each in enumerate(value):
                yield from _paths_of_no_times(each, f"{step}[{place}]")
        else:
            yield from _paths_of_no_times(value, step)


def _element(element: FieldPathElementPb) -> str:
    """Return one step of a path: a field, with the place in a list or the key of a map."""
    subscript = element.subscript
    if subscript is None:
        return element.field_name
    place = str(subscript.value)
    # The key of a map is the caller's own text, and may be anything.
    shown = place if KEY.fullmatch(place) else "?"
    return f"{element.field_name}[{shown}]"
