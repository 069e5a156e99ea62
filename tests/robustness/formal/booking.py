"""A model of booking: clients ask servers, servers write to one log, and anything may be lost.

Two clients want two slots. Each asks for one thing after another, as often as it likes: what was
asked once may come to any server at any time, any number of times, after its answer too, or never.
A server decides on the log as it sees it, writes later, and answers later still; it may end in
between. Names stand for nothing: servers have none, and the client that asks first is 0, and wants
slot 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from tests.robustness.formal.exploring import Broken, Step

CLIENTS, SERVERS, SLOTS = 2, 2, 2
REQUESTS_MAX = 2
TIME_MAX = 1
HOLD = 1
"""A hold counts before so much later. There are two instants: what is held at 0 is free at 1."""


class Deed(StrEnum):
    """What can be asked for."""

    BOOK = "book"
    HOLD = "hold"
    FREE = "free"


class Flaw(StrEnum):
    """What may be done wrongly, on purpose."""

    NO_SECOND_WALL = "what was decided is written although the slot was taken meanwhile"
    ANSWERS_FIRST = "the answer is given before it is written"
    ROW_APART = "what was answered is remembered by another commit"
    FORGETS_ROWS = "a repetition is decided anew"
    ANSWERS_ANEW = "a repetition is answered with the newest revision"
    SEQUENCE = "a revision is drawn from a sequence, when it is decided"
    IGNORES_HOLDS = "a hold is in nobody's way"
    HOLDS_FOR_EVER = "a hold is in the way though it has expired"
    CONFIRMS_LATE_HOLDS = "an expired hold is booked whoever has its slot"
    REFUSES_LATE_HOLDS = "an expired hold is never booked"
    KEEPS_THE_CANCELLED = "a slot that was given back is in nobody's reach"


class Request(NamedTuple):
    """The id of a request: the client's own name for it."""

    client: int
    number: int

    def __str__(self) -> str:
        """Name it."""
        return f"request {self.number} of client {self.client}"


class Wish(NamedTuple):
    """What a request asks for."""

    deed: Deed
    slot: int

    def __str__(self) -> str:
        """Say it."""
        return f"{self.deed} slot {self.slot}"


class Entry(NamedTuple):
    """A change of the log: what was done for whom, decided when; a hold counts before `until`."""

    revision: int
    request: Request
    wish: Wish
    until: int = 0
    at: int = 0


Log = tuple[Entry, ...]


class Standing(NamedTuple):
    """Who has a slot, and by which deed."""

    client: int
    deed: Deed


class Client(NamedTuple):
    """What a client asked for, and at which revisions it was answered OK; 0 is not, or not yet.

    While it waits, `since` is the newest revision that anybody had been answered when it asked.
    """

    wishes: tuple[Wish, ...] = ()
    answers: tuple[int, ...] = ()
    since: int = 0
    is_waiting: bool = False


class Server(NamedTuple):
    """What a server has in mind: it saw so many changes, and decided to write one more."""

    will: Entry
    seen: int
    is_written: bool = False
    owes_row: bool = False


class State(NamedTuple):
    """All there is: `rows` are the requests that are remembered as answered.

    `wrong` is what no state shows afterwards: a step that it was not right to take.
    """

    log: Log = ()
    rows: frozenset[Request] = frozenset()
    servers: tuple[Server, ...] = ()
    clients: tuple[Client, ...] = (Client(),) * CLIENTS
    now: int = 0
    drawn: int = 0
    wrong: Broken | None = None


# The rules of a slot.


@cache
def standing(log: Log, slot: int, at: int) -> Standing | None:
    """Return who has a slot at an instant after these changes."""
    last = next((entry for entry in reversed(log) if entry.wish.slot == slot), None)
    if last is None or last.wish.deed is Deed.FREE:
        return None
    if last.wish.deed is Deed.HOLD and last.until <= at:
        return None
    return Standing(last.request.client, last.wish.deed)


def allows(has: Standing | None, client: int, deed: Deed) -> bool:
    """Say whether a client may do something to a slot that somebody has, or nobody."""
    if deed is Deed.FREE:
        return has is not None and has.client == client
    return has is None or has == Standing(client, Deed.HOLD)


class Booking:
    """The model, as it should be or with a flaw."""

    def __init__(self, flaw: Flaw | None = None) -> None:
        """Take the flaw, if any."""
        self._flaw = flaw

    def first(self) -> State:
        """Begin with nothing asked."""
        return State()

    # Actions: what may happen in a state.

    def steps(self, state: State) -> Iterator[Step[State]]:
        """Yield what may happen next."""
        for number in range(CLIENTS):
            yield from self._ask(state, number)
        if len(state.servers) < SERVERS:
            for request, _ in _answers(state):
                yield self._decide(state, request)
        for server in state.servers:
            yield from self._go_on(state, server)
        if state.now < TIME_MAX:
            yield Step("time passes, and holds expire", state._replace(now=state.now + 1))

    def _ask(self, state: State, number: int) -> Iterator[Step[State]]:
        """A client that was answered asks for something new."""
        client = state.clients[number]
        is_first = not state.clients[0].wishes
        if is_first and number:
            return
        for wish in _wishes(client, slots=1 if is_first else SLOTS):
            newest = max((revision for _, revision in _answers(state)), default=0)
            asking = Client((*client.wishes, wish), (*client.answers, 0), newest, True)
            request = Request(number, len(client.wishes))
            text = f"client {number} asks to {wish} ({request})"
            yield Step(text, _with_client(state, number, asking))

    def _decide(self, state: State, request: Request) -> Step[State]:
        """A server takes a request up. It refuses at once; what it grants it will write."""
        if self._remembers(state, request):
            known = next(entry.revision for entry in state.log if entry.request == request)
            if self._flaw is Flaw.ANSWERS_ANEW:
                known = len(state.log)
            after = _answered(state, request, known)
            return Step(f"a server knows {request}, and answers OK at {known}", after)
        wish = state.clients[request.client].wishes[request.number]
        if not self._grants(state, request.client, wish):
            after = _answered(state, request, 0)._replace(wrong=_refused(state, request, wish))
            return Step(f"a server refuses {request}", after)
        until = state.now + HOLD if wish.deed is Deed.HOLD else 0
        revision = len(state.log) + 1
        if self._flaw is Flaw.SEQUENCE:
            state = state._replace(drawn=state.drawn + 1)
            revision = state.drawn
        will = Entry(revision, request, wish, until, state.now)
        after = _with_server(state, None, Server(will, len(state.log)))
        if self._flaw is Flaw.ANSWERS_FIRST:
            after = _answered(after, request, revision)
        return Step(f"a server decides to grant {request}", after)

    def _remembers(self, state: State, request: Request) -> bool:
        """Say whether it is known what was answered."""
        return request in state.rows and self._flaw is not Flaw.FORGETS_ROWS

    def _grants(self, state: State, client: int, wish: Wish) -> bool:
        has = standing(state.log, wish.slot, state.now)
        was = standing(state.log, wish.slot, -1)
        if self._flaw is Flaw.IGNORES_HOLDS and has and has.deed is Deed.HOLD:
            has = None
        if self._flaw is Flaw.HOLDS_FOR_EVER:
            has = was
        if _held_once(state.log, client, wish.slot) and wish.deed is Deed.BOOK:
            if self._flaw is Flaw.CONFIRMS_LATE_HOLDS:
                return True
            if self._flaw is Flaw.REFUSES_LATE_HOLDS and has is None:
                return False
        freed = any(entry.wish == Wish(Deed.FREE, wish.slot) for entry in state.log)
        if self._flaw is Flaw.KEEPS_THE_CANCELLED and freed:
            return False
        return allows(has, client, wish.deed)

    def _go_on(self, state: State, server: Server) -> Iterator[Step[State]]:
        """A server writes what it decided, and answers what it wrote; or it ends in between.

        To end before it has written anything is as if it had not been asked: no step is needed.
        """
        will = server.will
        if server.owes_row:
            after = _with_server(state, server, server._replace(owes_row=False))
            after = after._replace(rows=after.rows | {will.request})
            yield Step(f"{will.request} is remembered", after)
        elif server.is_written:
            after = _answered(_with_server(state, server, None), will.request, will.revision)
            yield Step(f"{will.request} is answered OK at {will.revision}", after)
        elif len(state.log) == server.seen or self._has_no_wall(state, will.request):
            yield self._commit(state, server)
        else:
            again = _with_server(state, server, None)
            yield Step(f"{will.request} is given up, for the log went on", again)
        if server.is_written or self._flaw is Flaw.ANSWERS_FIRST:
            yield Step(f"the server of {will.request} ends", _with_server(state, server, None))

    def _has_no_wall(self, state: State, request: Request) -> bool:
        return self._flaw is Flaw.NO_SECOND_WALL and request not in state.rows

    def _commit(self, state: State, server: Server) -> Step[State]:
        will = server.will
        if self._flaw is Flaw.NO_SECOND_WALL:
            will = will._replace(revision=len(state.log) + 1)
        is_apart = self._flaw is Flaw.ROW_APART
        after = _with_server(state, server, Server(will, server.seen, True, is_apart))
        after = after._replace(
            log=(*state.log, will),
            rows=state.rows if is_apart else state.rows | {will.request},
        )
        return Step(f"{will.request} is committed as revision {will.revision}", after)

    # Invariants: what holds in every state.

    def broken(self, state: State) -> Broken | None:
        """Return the first promise that a state breaks."""
        of_the_log = _wrongly_done(state.log) or _twice(state) or _with_a_gap(state)
        return state.wrong or of_the_log or _lost(state)

    def is_settled(self, state: State) -> bool:
        """Say whether every client was answered all that it can ask."""
        return all(
            len(client.wishes) == REQUESTS_MAX and not client.is_waiting for client in state.clients
        )


# The invariants of a slot share nothing with its rules: they count what stands in the whole log.


@cache
def _claims(log: Log, slot: int, at: int) -> tuple[Entry, ...]:
    """Return what stands on a slot: what took it, and neither ended nor made way for its own."""
    of_slot = [each for each in log if each.wish.slot == slot]
    return tuple(
        each
        for number, each in enumerate(of_slot)
        if each.wish.deed in {Deed.BOOK, Deed.HOLD}
        and not (each.wish.deed is Deed.HOLD and each.until <= at)
        and not any(_ends(later, each) for later in of_slot[number + 1 :])
    )


def _ends(later: Entry, claim: Entry) -> bool:
    """Say whether a client itself gives back what it has, or renews or books what it holds."""
    is_own = later.request.client == claim.request.client
    return is_own and (later.wish.deed is Deed.FREE or claim.wish.deed is Deed.HOLD)


def _in_the_way(log: Log, client: int, wish: Wish, at: int) -> tuple[Entry, ...]:
    """Return what keeps a client from taking a slot: what others have, and its own booking."""
    return tuple(
        each
        for each in _claims(log, wish.slot, at)
        if each.request.client != client or each.wish.deed is Deed.BOOK
    )


def _has_any(log: Log, client: int, wish: Wish, at: int) -> bool:
    return any(each.request.client == client for each in _claims(log, wish.slot, at))


@cache
def _wrongly_done(log: Log) -> Broken | None:
    """B1, B7: nothing is taken that another has, or given back that one has not."""
    for number, entry in enumerate(log):
        client, wish = entry.request.client, entry.wish
        before = log[:number]
        if wish.deed is Deed.FREE:
            if not _has_any(before, client, wish, entry.at):
                return Broken("B1", f"{entry.request} may {wish}, and does not have it")
        elif others := _in_the_way(before, client, wish, entry.at):
            other = others[0]
            promise = "B7" if other.wish.deed is Deed.HOLD else "B1"
            return Broken(promise, f"{entry.request} may {wish}, which {other.request} has")
    return None


def _refused(state: State, request: Request, wish: Wish) -> Broken | None:
    """B5, B7: what is refused is another's; what expired or was given back is in nobody's way."""
    asked = (state.log, request.client, wish, state.now)
    is_right = not _has_any(*asked) if wish.deed is Deed.FREE else bool(_in_the_way(*asked))
    if is_right:
        return None
    promise = "B7" if _held_once(state.log, request.client, wish.slot) else "B5"
    return Broken(promise, f"{request} is refused to {wish}, which is free for it")


def _held_once(log: Log, client: int, slot: int) -> bool:
    return any(each.wish == (Deed.HOLD, slot) and each.request.client == client for each in log)


def _lost(state: State) -> Broken | None:
    """B2: what was answered OK is in the log at its revision, for ever."""
    for request, revision in _answers(state):
        is_written = any((each[0], each[1]) == (revision, request) for each in state.log)
        # Who answers first may yet write; it is lost when that can no longer be.
        is_at_work = any(server.will.request == request for server in state.servers)
        if revision and not is_written and not is_at_work:
            return Broken("B2", f"{request} was answered OK, and is not in the log")
    return None


def _twice(state: State) -> Broken | None:
    """B3: a request makes one change at most."""
    requests = {entry.request for entry in state.log}
    if len(requests) == len(state.log):
        return None
    return Broken("B3", f"a request made two of the changes {[str(each[1]) for each in state.log]}")


def _with_a_gap(state: State) -> Broken | None:
    """B4: revisions are counted without a gap, in the order of the commits."""
    revisions = [entry.revision for entry in state.log]
    if revisions == list(range(1, len(state.log) + 1)):
        return None
    return Broken("B4", f"the revisions of the log are {revisions}")


def _misanswered(client: Client, request: Request, revision: int) -> Broken | None:
    """B3, B4: a repetition has the same answer, and a later question a later one."""
    before = client.answers[request.number]
    if before not in {0, revision}:
        return Broken("B3", f"{request} was answered {before}, and then {revision}")
    if client.is_waiting and _is_last(client, request) and revision <= client.since:
        return Broken("B4", f"{request} was made after {client.since} had been answered")
    return None


# How states are made of others.


def _wishes(client: Client, slots: int) -> Iterator[Wish]:
    """Yield what a client may ask for next: what it has it confirms or gives back."""
    if client.is_waiting or len(client.wishes) == REQUESTS_MAX:
        return
    if not client.wishes or not client.answers[-1]:
        yield from (Wish(deed, slot) for deed in (Deed.BOOK, Deed.HOLD) for slot in range(slots))
        return
    deed, slot = client.wishes[-1]
    if deed is Deed.HOLD:
        yield Wish(Deed.BOOK, slot)
    yield Wish(Deed.FREE, slot)


def _answers(state: State) -> list[tuple[Request, int]]:
    return [
        (Request(number, index), revision)
        for number, client in enumerate(state.clients)
        for index, revision in enumerate(client.answers)
    ]


def _is_last(client: Client, request: Request) -> bool:
    return request.number == len(client.wishes) - 1


def _answered(state: State, request: Request, revision: int) -> State:
    """Tell a client the outcome; 0 is a refusal, and none of it is kept."""
    client = state.clients[request.client]
    answers = client.answers
    if revision:
        state = state._replace(wrong=_misanswered(client, request, revision))
        answers = (*answers[: request.number], revision, *answers[request.number + 1 :])
    is_waiting = client.is_waiting and not _is_last(client, request)
    since = client.since if is_waiting else 0
    told = Client(client.wishes, answers, since, is_waiting)
    return _with_client(state, request.client, told)


def _with_client(state: State, number: int, client: Client) -> State:
    clients = (*state.clients[:number], client, *state.clients[number + 1 :])
    return state._replace(clients=clients)


def _with_server(state: State, old: Server | None, new: Server | None) -> State:
    """Put a server in the place of another. They are sorted, as they have no names."""
    servers = list(state.servers)
    if old is not None:
        servers.remove(old)
    if new is not None:
        servers.append(new)
    return state._replace(servers=tuple(sorted(servers)))
