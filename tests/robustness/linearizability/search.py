"""A second opinion on the order of a history, from its answers alone.

It does not look at the log, which may be consistent and not tell what was answered.
"""

from __future__ import annotations

from tests.robustness.history import History
from tests.robustness.linearizability.cell import State
from tests.robustness.linearizability.cells import Cell
from tests.robustness.linearizability.orders import STEPS_MAX, Operation, Verdict, find_order
from tests.robustness.linearizability.projection import project
from tests.robustness.violation import Violation

NEIGHBOURS_SHOWN_MAX = 12


def find_violations(history: History, *, steps_max: int = STEPS_MAX) -> list[Violation]:
    """Return the cells for which no order of the calls explains their answers.

    One on which the search gives up is returned too, as not decided.
    """
    return [
        _violation(cell, operations, verdict)
        for cell, operations in project(history).items()
        if not (verdict := find_order(operations, steps_max)).is_linearizable
    ]


def _violation(cell: Cell, operations: list[Operation], verdict: Verdict) -> Violation:
    blocked = verdict.blocked
    assert blocked is not None
    near = _near(operations, blocked)
    where = f"{cell.calendar} from {cell.start:%Y-%m-%d %H:%M} to {cell.end:%H:%M}"
    if not verdict.is_decided:
        text = (
            f"Not decided: after {verdict.steps} steps no order was found of {len(operations)} "
            f"operations on {where}, beyond {blocked.text}."
        )
        rule = "not decided"
    else:
        stood = " or ".join(sorted({_shown(state) for state in verdict.states}))
        text = (
            f"No order of the calls on {where} explains {blocked.text}. There stood {stood}. "
            f"Around it: {'; '.join(each.text for each in near)}."
        )
        rule = "linearizable"
    return Violation(
        promise="B4",
        rule=rule,
        text=text,
        at=blocked.ended,
        calls=tuple(dict.fromkeys(call for each in (blocked, *near) for call in each.calls)),
    )


def _near(operations: list[Operation], blocked: Operation) -> list[Operation]:
    """Return the writes that may lie before an answer, the last of them."""
    before = [
        each
        for each in operations
        if not each.is_read and each is not blocked and each.began <= blocked.ended
    ]
    return sorted(before, key=lambda each: each.began)[-NEIGHBOURS_SHOWN_MAX:]


def _shown(state: State) -> str:
    return " and ".join(_named(each.owner, each.standing) for each in state) or "nothing"


def _named(owner: str, standing: str) -> str:
    return f"{owner.rpartition('/')[2] or 'a booking never answered'} ({standing})"
