"""A second opinion on the order of a history, from its answers alone.

It does not look at the log, which may be consistent and not tell what was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.robustness.history import Call, History, Outcome
from tests.robustness.linearizability.cell import State
from tests.robustness.linearizability.cells import Cell
from tests.robustness.linearizability.opinion import Opinion
from tests.robustness.linearizability.orders import STEPS_MAX, Operation, Verdict, find_order
from tests.robustness.linearizability.projection import project
from tests.robustness.violation import Violation

NEIGHBOURS_SHOWN_MAX = 12
WRITES, EXPIRIES, REFUSALS = "order of writes", "order of expiries", "order of refusals"
LISTS, EXPLANATIONS = "order of lists", "order of explanations"
BOOKINGS = "order of bookings read"
_READS = {"ListSlots": LISTS, "ExplainSlot": EXPLANATIONS, "GetBooking": BOOKINGS}


def second_opinion(history: History, *, steps_max: int = STEPS_MAX) -> Opinion:
    """Return the cells for which no order of the calls explains their answers.

    One on which the search gives up is returned too, as not decided.
    """
    calls = {call.number: call for call in history.calls}
    checks: Counter[str] = Counter()
    violations: list[Violation] = []
    for cell, operations in project(history).items():
        verdict = find_order(operations, steps_max)
        checks.update(_compared(operations, calls))
        if not verdict.is_linearizable:
            violations.append(_violation(cell, operations, verdict))
    return Opinion(violations=violations, checks=checks)


def find_violations(history: History, *, steps_max: int = STEPS_MAX) -> list[Violation]:
    """Return those of the second opinion."""
    return list(second_opinion(history, steps_max=steps_max).violations)


def _compared(operations: Iterable[Operation], calls: Mapping[int, Call]) -> Counter[str]:
    """Count by kind what must have happened on a cell. What does and sees nothing is not counted.

    Each part of a sight is compared by itself, and a write as a whole.
    """
    checks: Counter[str] = Counter()
    for each in operations:
        if each.is_optional or not all(each.variants):
            continue
        call = calls[each.calls[0]]
        if each.is_read:
            kind = _READS.get(call.method, REFUSALS)
            checks[REFUSALS if call.outcome is Outcome.REFUSED else kind] += len(each.variants[0])
        else:
            checks[WRITES if each.key == call.operation else EXPIRIES] += 1
    return checks


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
