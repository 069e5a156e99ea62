"""The innermost layer: what the protos ask of a request's fields."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from protovalidate import FieldPathElementPb, Validator, Violation

from service.rpc.call import Behaviour, Call
from service.rpc.interceptors.layer import Layer
from service.rpc.methods import METHODS, Method
from service.rpc.status import FieldViolation, InvalidFields

VIOLATIONS_MAX = 8
"""The rest is not told: the answer must fit into what a client accepts as metadata."""
DESCRIPTION_LENGTH_MAX = 200
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
    violations = _validator.collect_violations(request)
    if violations:
        raise InvalidFields(
            tuple(_violation(violation) for violation in violations[:VIOLATIONS_MAX])
        )


def _violation(violation: Violation) -> FieldViolation:
    field = violation.proto.field
    path = ".".join(_element(element) for element in field.elements) if field else "request"
    return FieldViolation(path, violation.proto.message[:DESCRIPTION_LENGTH_MAX])


def _element(element: FieldPathElementPb) -> str:
    """Return one step of a path: a field, with the place in a list or the key of a map."""
    subscript = element.subscript
    if subscript is None:
        return element.field_name
    place = str(subscript.value)
    # The key of a map is the caller's own text, and may be anything.
    shown = place if KEY.fullmatch(place) else "?"
    return f"{element.field_name}[{shown}]"
