"""Fields of protobuf messages written by hand, to wrap what is already encoded."""

from __future__ import annotations

_VARINT = 0
_LENGTH_DELIMITED = 2


def varint_field(number: int, value: int) -> bytes:
    """Return an integer field; `value` is not negative."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def bytes_field(number: int, payload: bytes) -> bytes:
    """Return a field of text, bytes, or an encoded message."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
