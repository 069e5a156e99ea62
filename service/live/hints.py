"""Hints: what one process tells the others through Redis. Nothing depends on their arrival."""

from __future__ import annotations

import json
from dataclasses import dataclass

from service.domain.change import Change
from service.domain.change_codec import change_from_json, change_to_json

CHANGES_BYTES_MAX = 4096
# So many are never small: they need not be written to find out.
CHANGES_MAX = 16
_PREFIX = "slotcast:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """A business has come to a revision; `changes`, where they are small, lead there."""

    business_id: str
    epoch: str
    revision: int
    revision_before: int
    changes: tuple[Change, ...] = ()


def channel_of(business_id: str) -> str:
    """Return the channel on which hints about a business are published."""
    return _PREFIX + business_id


def hint_to_json(hint: Hint) -> bytes:
    """Write a hint; its changes are left out where they are not small."""
    changes: list[str] = []
    if len(hint.changes) <= CHANGES_MAX:
        changes = [change_to_json(change).decode() for change in hint.changes]
    is_small = sum(map(len, changes)) <= CHANGES_BYTES_MAX
    head = {
        "b": hint.business_id,
        "e": hint.epoch,
        "r": hint.revision,
        "p": hint.revision_before,
        "c": changes if is_small else [],
    }
    return json.dumps(head, separators=(",", ":")).encode()


def hint_from_json(data: bytes) -> Hint | None:
    """Read a hint; None: it is none, or of another version."""
    try:
        head = json.loads(data)
        return Hint(
            business_id=head["b"],
            epoch=head["e"],
            revision=int(head["r"]),
            revision_before=int(head["p"]),
            changes=tuple(change_from_json(change) for change in head["c"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
