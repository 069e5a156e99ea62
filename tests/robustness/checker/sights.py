"""W5 at the client: what the Python client offers is the truth of its revision, and is recent."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, micros
from tests.robustness.checker.reads import difference
from tests.robustness.checker.streams import Clocks
from tests.robustness.checker.timeline import Query, Slot, View
from tests.robustness.checker.timing import AS_OF_LAG, BUSY_MACHINE_SECONDS, SETTLED_SECONDS
from tests.robustness.history import Sight

SIGHT_SLACK_SECONDS = 0.5
STALE_AFTER_SECONDS = 15.0
"""Where no frame was recorded that says after how long a view is stale."""
RECONNECT_SECONDS_MAX = 5.0
"""For so long the Python client may wait before it connects again."""

Shown = dict[tuple[str, str, int], int]
"""By type, calendar and start: how many seats are left."""


def judge_sights(evidence: Evidence, findings: Findings) -> None:
    """Judge what each onlooker saw, one sight after another."""
    by_watcher: dict[str, list[Sight]] = defaultdict(list)
    for sight in evidence.history.sights:
        by_watcher[sight.watcher].append(sight)
    stale_after = _stale_after_seconds(evidence)
    for sights in by_watcher.values():
        _Onlooker(evidence, findings, stale_after).judge(sights)
        _judge_last(evidence, findings, sights)


def _stale_after_seconds(evidence: Evidence) -> float:
    told = [
        arrival.frame.stale_after.ToTimedelta().total_seconds()
        for watch in evidence.history.watches
        for arrival in watch.arrivals[:1]
    ]
    return max(told, default=STALE_AFTER_SECONDS)


class _Onlooker:
    """One view. It does not tell its as_of, which moves on as little as what it shows demands."""

    def __init__(self, evidence: Evidence, findings: Findings, stale_after: float) -> None:
        self._evidence = evidence
        self._findings = findings
        self._stale_after = stale_after
        self._clocks = Clocks(evidence.history)
        self._view: View | None = None
        self._at = 0
        self._looked = 0.0

    def judge(self, sights: list[Sight]) -> None:
        revision = 0
        for sight in sights:
            if sight.is_stale:
                if sight.slots:
                    self._tell(sight, "stale", f"{len(sight.slots)} slots are offered though stale")
                continue
            self._findings.checks["W5 of the client"] += 1
            if sight.revision < revision:
                self._tell(sight, "back", f"revision {sight.revision} is shown after {revision}")
            revision = sight.revision
            self._judge_age(sight)
            if sight.window is not None and revision <= self._evidence.timeline.revision:
                self._judge_slots(sight, sight.window)

    def _judge_age(self, sight: Sight) -> None:
        """A view that is not stale has all that was answered before it could have become so."""
        lag = self._stale_after + AS_OF_LAG / SECOND + SIGHT_SLACK_SECONDS
        known = self._evidence.acknowledged.before(sight.at - lag)
        if sight.revision < known:
            text = f"it is not stale at {sight.revision}, {known} was answered {lag:.1f} s before"
            self._tell(sight, "fresh though old", text)

    def _judge_slots(self, sight: Sight, window: tuple[datetime, datetime]) -> None:
        """Find an instant, recent and not before the last one, at which the slots are as shown."""
        view = self._view_of(sight, window)
        earliest, latest = self._instants(sight)
        begins = [max(self._at, earliest)]
        if self._clocks.may_go_back(min(self._looked, sight.at - self._lag_seconds), sight.at):
            begins.append(earliest)
        self._looked = sight.at
        found = {(*slot[:2], micros(slot[2])): slot[3] for slot in sight.slots}
        if any(self._finds(view, sight, found, at, latest) for at in begins):
            return
        view.move(sight.revision, begins[0])
        text = difference(
            {Slot(*each, 0): seats for each, seats in found.items()},
            {Slot(*each, 0): seats for each, seats in _shown(view).items()},
        )
        self._tell(sight, "slots", f"at {sight.revision} the truth is another: {text}")

    def _finds(self, view: View, sight: Sight, found: Shown, since: int, latest: int) -> bool:
        """Go on to the first instant at which the slots are those that were found."""
        at: int | None = since
        while at is not None and at <= latest:
            view.move(sight.revision, at)
            if found == _shown(view):
                self._at = at
                return True
            at = self._evidence.timeline.next_event(view.query, sight.revision, at)
        return False

    @property
    def _lag_seconds(self) -> float:
        return self._stale_after + SIGHT_SLACK_SECONDS + AS_OF_LAG / SECOND

    def _instants(self, sight: Sight) -> tuple[int, int]:
        """Return between which instants one lies that a view may show.

        It may have been told by any of the clocks that PostgreSQL has had since it would be stale.
        """
        offsets = self._clocks.offsets(sight.at - self._lag_seconds, sight.at)
        shown = micros(self._evidence.history.started_at) + round(sight.at * SECOND)
        earliest = shown + round((min(offsets) - self._lag_seconds) * SECOND)
        return earliest, shown + round(max(offsets) * SECOND)

    def _view_of(self, sight: Sight, window: tuple[datetime, datetime]) -> View:
        start, end = map(micros, window)
        query = Query(start=start, end=end, types=frozenset(sight.types))
        if self._view is None or self._view.query != query:
            self._view, self._at = View(self._evidence.timeline, query), 0
        return self._view

    def _tell(self, sight: Sight, rule: str, text: str) -> None:
        self._findings.add(
            "W5", rule, f"{sight.watcher}: {text}", at=sight.at, revision=sight.revision
        )


def _shown(view: View) -> Shown:
    return {(slot.type_id, slot.calendar, slot.first): seats for slot, seats in view.open.items()}


def _judge_last(evidence: Evidence, findings: Findings, sights: list[Sight]) -> None:
    """Liveness: when all faults are long over the view is fresh again."""
    history, last = evidence.history, sights[-1]
    settled = history.faults_ended + RECONNECT_SECONDS_MAX + SETTLED_SECONDS + BUSY_MACHINE_SECONDS
    if last.at < settled:
        return
    findings.checks["liveness"] += 1
    if last.is_stale:
        text = f"{last.watcher} is stale at {last.at:.1f} s"
        findings.add("liveness", "stale", text, at=last.at, revision=last.revision)
