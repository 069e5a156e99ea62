"""A model of watching: servers follow a log by hints that may be lost, and a client servers.

Bookings are no more than a slot that is taken, held for a while, or given back. A hint tells of one
change; it may come to any server at any time, in any order, often or never. The client may be cut
off between any two frames, and goes on with its token at either server, now or much later.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from tests.robustness.formal.exploring import Broken, Step

SERVERS, SLOTS = 2, 2
CHANGES_MAX = 3
TIME_MAX = 2
HOLD = 1


class Deed(StrEnum):
    """What a change does to a slot."""

    TAKE = "taken"
    HOLD = "held"
    FREE = "freed"


class Flaw(StrEnum):
    """What may be done wrongly, on purpose."""

    APPLIES_OVER_A_GAP = "a hint is applied although the one before it has not come"
    RESUMES_TOO_LATE = "a resumed stream leaves out the change after its token"
    RESUMES_TOO_EARLY = "a resumed stream begins with the change before its token"
    HONOURS_OLD_TOKENS = "a token is honoured although the log no longer goes back to it"
    RESUMES_AHEAD = "a token is honoured by a server that is not there yet"
    HOLE_AFTER_SNAPSHOT = "a change that comes while a snapshot is sent is not told"
    BEATS_FROM_THE_TRUTH = "a heartbeat has the newest revision, whatever was sent"
    TIME_WRITES_NOTHING = "a hold that expires is told with the next change only"


class Entry(NamedTuple):
    """A change of the log; a hold counts before `until`."""

    slot: int
    deed: Deed
    until: int = 0


Log = tuple[Entry, ...]
Slots = frozenset[int]


class Moment(NamedTuple):
    """What a view is true of: a revision, and an instant."""

    revision: int
    at: int


class Watch(NamedTuple):
    """What the client has: the open slots, and of when; the server that it listens to, if any."""

    view: Slots
    told: Moment
    server: int | None


class State(NamedTuple):
    """All there is. A server's replica is the revisions that it has applied, in their order.

    The log is kept from after revision `floor` on. `wrong` is a frame that did not tell the truth.
    """

    log: Log = ()
    floor: int = 0
    now: int = 0
    replicas: tuple[tuple[int, ...], ...] = ((),) * SERVERS
    watch: Watch | None = None
    wrong: Broken | None = None


@cache
def open_slots(log: Log, at: int) -> Slots:
    """Return which slots are open at an instant after these changes."""
    last = {entry.slot: entry for entry in log}
    return frozenset(
        slot
        for slot in range(SLOTS)
        if slot not in last
        or last[slot].deed is Deed.FREE
        or (last[slot].deed is Deed.HOLD and last[slot].until <= at)
    )


class Watching:
    """The model, as it should be or with a flaw."""

    def __init__(self, flaw: Flaw | None = None) -> None:
        """Take the flaw, if any."""
        self._flaw = flaw

    def first(self) -> State:
        """Begin with all open, and nobody who watches."""
        return State()

    # Actions: what may happen in a state.

    def steps(self, state: State) -> Iterator[Step[State]]:
        """Yield what may happen next."""
        yield from self._write(state)
        for server in range(SERVERS):
            yield from self._follow(state, server)
            yield from self._connect(state, server)
        yield from self._tell(state)
        if state.floor < len(state.log):
            later = state._replace(floor=state.floor + 1)
            yield Step(f"the log is trimmed before revision {later.floor + 1}", later)
        if state.now < TIME_MAX:
            yield Step(f"it is {state.now + 1}", state._replace(now=state.now + 1))

    def _write(self, state: State) -> Iterator[Step[State]]:
        if len(state.log) == CHANGES_MAX:
            return
        is_open = open_slots(state.log, state.now)
        # Slots have no names: the first that is ever taken is 0.
        for slot in range(SLOTS if state.log else 1):
            deeds = (Deed.TAKE, Deed.HOLD) if slot in is_open else (Deed.FREE,)
            for deed in deeds:
                entry = Entry(slot, deed, state.now + HOLD if deed is Deed.HOLD else 0)
                text = f"slot {slot} is {deed}, revision {len(state.log) + 1}"
                yield Step(text, state._replace(log=(*state.log, entry)))

    def _follow(self, state: State, server: int) -> Iterator[Step[State]]:
        """A server applies what a hint brings, or reads what it lacks; or it begins anew."""
        applied = state.replicas[server]
        newest = len(state.log)
        have = applied[-1] if applied else 0
        hinted = range(have + 1, newest + 1) if self._flaw is Flaw.APPLIES_OVER_A_GAP else ()
        for revision in hinted or ((have + 1,) if have < newest else ()):
            after = _with_replica(state, server, (*applied, revision))
            yield Step(f"server {server} applies revision {revision}", after)
        if have < newest and (whole := tuple(range(1, newest + 1))) != (*applied, newest):
            yield Step(
                f"server {server} ends, and another reads all anew",
                _cut_off(_with_replica(state, server, whole), server),
            )

    def _connect(self, state: State, server: int) -> Iterator[Step[State]]:
        """The client watches, or goes on with what it has; a server that is behind lets it wait."""
        watch = state.watch
        if watch is not None and watch.server is not None:
            return
        log = self._log_of(state, server)
        have = Moment(len(log), state.now)
        fresh = Watch(open_slots(log, state.now), have, server)
        if self._flaw is Flaw.HOLE_AFTER_SNAPSHOT:
            fresh = fresh._replace(told=Moment(len(state.log), state.now))
        if watch is None:
            text = f"the client watches at server {server}"
            yield Step(text, _told(state, fresh, "W2"))
            return
        token = watch.told
        is_ahead = token.revision > have.revision
        if is_ahead and self._flaw is not Flaw.RESUMES_AHEAD:
            return
        text = f"the client resumes after revision {token.revision} at server {server}"
        if token.revision < state.floor and self._flaw is not Flaw.HONOURS_OLD_TOKENS:
            yield Step(f"{text}: reset", _told(state, fresh, "W3"))
            return
        if self._flaw is Flaw.RESUMES_TOO_LATE:
            token = token._replace(revision=min(token.revision + 1, have.revision))
        if self._flaw is Flaw.RESUMES_TOO_EARLY:
            token = token._replace(revision=max(token.revision - 1, 0))
        if self._flaw is Flaw.HONOURS_OLD_TOKENS:
            token = token._replace(revision=max(token.revision, min(state.floor, have.revision)))
        resumed = self._delta(log, watch._replace(server=server), token, have)
        yield Step(f"{text}: what changed since", _told(state, resumed, "W3"))

    def _tell(self, state: State) -> Iterator[Step[State]]:
        """A server sends what is new to it, or what time did; or the stream is cut."""
        watch = state.watch
        if watch is None or watch.server is None:
            return
        yield Step("the stream is cut", state._replace(watch=watch._replace(server=None)))
        log = self._log_of(state, watch.server)
        have = Moment(len(log), state.now)
        if have != watch.told and have.revision >= watch.told.revision:
            delta = self._delta(log, watch, watch.told, have)
            promise = "W6" if have.revision == watch.told.revision else "W1"
            text = f"a delta of revision {have.revision} at {have.at}"
            yield Step(text, _told(state, delta, promise))
        if self._flaw is Flaw.BEATS_FROM_THE_TRUTH:
            beat = watch._replace(told=Moment(len(state.log), state.now))
            yield Step(f"a heartbeat of revision {len(state.log)}", _told(state, beat, "W4"))

    def _delta(self, log: Log, watch: Watch, since: Moment, until: Moment) -> Watch:
        """Return the view after what led from one moment to another is applied to it."""
        after_at = until.at
        if self._flaw is Flaw.TIME_WRITES_NOTHING and since.revision == until.revision:
            after_at = since.at
        before = open_slots(log[: since.revision], since.at)
        after = open_slots(log, after_at)
        view = watch.view - (before - after) | (after - before)
        return watch._replace(view=view, told=until)

    def _log_of(self, state: State, server: int) -> Log:
        return tuple(state.log[revision - 1] for revision in state.replicas[server])

    def broken(self, state: State) -> Broken | None:
        """Return what was wrong with the last frame."""
        return state.wrong

    def is_settled(self, state: State) -> bool:
        """Say whether the client has been told all there is."""
        now = Moment(len(state.log), state.now)
        watch = state.watch
        is_over = len(state.log) == CHANGES_MAX and state.now == TIME_MAX
        return is_over and watch is not None and watch.server is not None and watch.told == now


# The invariant.


def _told(state: State, watch: Watch, promise: str) -> State:
    """W1: after a frame the client's slots are the truth at the revision and instant that it told.

    What kind of frame it was says which promise is broken by another.
    """
    view, told, server = watch
    after = state._replace(watch=watch)
    truth = open_slots(state.log[: told.revision], told.at)
    if view == truth or server is None:
        return after
    applied = state.replicas[server]
    if applied != tuple(range(1, len(applied) + 1)):
        promise = "W9"
    wrong = ", ".join(f"slot {slot}" for slot in sorted(view ^ truth))
    shown = "open" if view - truth else "taken"
    text = f"at revision {told.revision} and {told.at} {wrong} is shown as {shown}"
    return after._replace(wrong=Broken(promise, text))


def _with_replica(state: State, server: int, applied: tuple[int, ...]) -> State:
    replicas = (*state.replicas[:server], applied, *state.replicas[server + 1 :])
    return state._replace(replicas=replicas)


def _cut_off(state: State, server: int) -> State:
    watch = state.watch
    if watch is None or watch.server != server:
        return state
    return state._replace(watch=watch._replace(server=None))
