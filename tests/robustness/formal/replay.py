"""The replay: a real run, slot by slot, as a path of the model of booking.

Each stretch of a calendar that nothing divides is a slot of the model; whoever has a hold or a
booking there is a client of it. Every commit, answer and refusal of the run must be a step that the
model allows in the state to which those before it have led.

Projected away: groups, which the model does not have; imported busy time and closures, which lie
over what stands; all rules of time but the expiry of holds; and refusals that more than one stretch
could explain, or busy time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from service.domain.change import Change, ChangeKind
from service.domain.claim import Claim, ClaimKind
from service.domain.ids import holder_key, last_part
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.catalog_service_pb2 import ImportBusyFeedRequest
from tests.robustness.catalogue import TYPES
from tests.robustness.checker.evidence import operators_key, who_did
from tests.robustness.checker.records import TIMED
from tests.robustness.formal.booking import Deed, Entry, Request, Wish, allows, standing
from tests.robustness.history import Call, History, Outcome, Witness
from tests.robustness.linearizability.cells import Cell, CellMap
from tests.robustness.linearizability.ground import Span, busy_times, instant, short
from tests.robustness.linearizability.opinion import Opinion
from tests.robustness.violation import Violation

RULE = "path of the model"
COMMITS, ANSWERS, REFUSALS = "path of commits", "path of answers", "path of refusals"
CLOCK_SLACK = timedelta(seconds=1)
"""So much earlier than a call the instant may be at which it was decided, as the clocks differ."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retrace(history: History, witness: Witness) -> Opinion:
    """Return the steps of a run that are no steps of the model, and how many were looked at."""
    run = _Run(history, witness)
    violations = [*run.commits(), *run.answers(), *run.refusals()]
    return Opinion(violations=violations, checks=run.checks)


def replay(history: History, witness: Witness) -> list[Violation]:
    """Return the steps of a run that are no steps of the model."""
    return list(retrace(history, witness).violations)


class _Run:
    def __init__(self, history: History, witness: Witness) -> None:
        self.checks: Counter[str] = Counter()
        self._history = history
        self._changes = witness.changes
        self._askers = _Askers(history, witness)
        added = [claim for change in witness.changes for claim in change.added]
        self._claims = {claim.claim_id: claim for claim in added if _is_alone(claim)}
        self._cells = CellMap(_span(claim) for claim in self._claims.values())
        self._logs: dict[Cell, list[Entry]] = defaultdict(list)
        self._numbers: dict[str, int] = {}
        self._client_of: dict[tuple[Cell, str], int] = {}

    # Commits.

    def commits(self) -> Iterator[Violation]:
        """Take each change to the slots that it touches."""
        for change in self._changes:
            removed = [self._claims.get(ref.claim_id) for ref in change.removed]
            offers = {str(offer.hold_id) for offer in change.offers}
            before = self._by_cell(claim for claim in removed if claim is not None)
            after = self._by_cell(each for each in change.added if each.owner_id not in offers)
            offered = self._by_cell(each for each in change.added if each.owner_id in offers)
            for cell in dict.fromkeys([*before, *after]):
                yield from self._commit(change, cell, before[cell], after[cell])
            # What is freed is offered in the same commit, as if it were one after it.
            for cell, claims in offered.items():
                yield from self._commit(change, cell, [], claims)

    def _by_cell(self, claims: Iterable[Claim]) -> dict[Cell, list[Claim]]:
        found: dict[Cell, list[Claim]] = defaultdict(list)
        for claim in filter(_is_alone, claims):
            for cell in self._cells.touched(_span(claim)):
                found[cell].append(claim)
        return found

    def _commit(
        self, change: Change, cell: Cell, removed: list[Claim], added: list[Claim]
    ) -> Iterator[Violation]:
        """Free what goes and take what comes; an expired hold may be given back by anyone."""
        at = _micros(change.at)
        has = standing(tuple(self._logs[cell][-1:]), 0, at)
        is_moved = change.kind in (ChangeKind.RESCHEDULED, ChangeKind.HANDED_OVER)
        if removed and has is not None and (is_moved or not added):
            mine = [claim for claim in removed if self._client(cell, claim) == has.client]
            is_allowed = bool(mine) and self._askers.may_act_for(change, mine[0])
            client = has.client if is_allowed else self._stranger(change)
            yield from self._step(change, cell, Entry(0, Request(client, 0), _FREE))
        elif not added:
            self._end_expired(change, cell, removed)
        for claim in added:
            client = self._comer(change, cell, claim, removed)
            until = _micros(claim.expires_at) if claim.expires_at else 0
            deed = Deed.HOLD if claim.kind is ClaimKind.HOLD else Deed.BOOK
            yield from self._step(change, cell, Entry(0, Request(client, 0), Wish(deed, 0), until))

    def _end_expired(self, change: Change, cell: Cell, removed: list[Claim]) -> None:
        """Free a hold that had expired: it does not stand again when the clock is set back."""
        log = self._logs[cell]
        if log and log[-1].request.client in {self._client(cell, each) for each in removed}:
            client = log[-1].request.client
            log.append(Entry(change.revision, Request(client, 0), _FREE))

    def _step(self, change: Change, cell: Cell, entry: Entry) -> Iterator[Violation]:
        """Ask the model whether it allows a commit, and make it."""
        self.checks[COMMITS] += 1
        log = self._logs[cell]
        has = standing(tuple(log[-1:]), 0, _micros(change.at))
        if not allows(has, entry.request.client, entry.wish.deed):
            who = self._named(has.client) if has else "nobody"
            yield Violation(
                promise="B7" if has and has.deed is Deed.HOLD else "B1",
                rule=RULE,
                text=(
                    f"At revision {change.revision} ({change.kind}) {_where(cell)} is"
                    f" {_DONE[entry.wish.deed]} by {self._named(entry.request.client)},"
                    f" and {who} has it."
                ),
                revision=change.revision,
                calls=self._askers.calls_of(change),
            )
        log.append(entry._replace(revision=change.revision))

    def _comer(self, change: Change, cell: Cell, claim: Claim, removed: Iterable[Claim]) -> int:
        """Return who takes a slot: the holder, where a hold that was theirs to book goes."""
        if claim.kind is ClaimKind.BOOKING:
            for hold in removed:
                if hold.kind is ClaimKind.HOLD and self._askers.may_act_for(change, hold):
                    self._client_of[cell, claim.owner_id] = self._client(cell, hold)
        return self._client(cell, claim)

    def _client(self, cell: Cell, claim: Claim) -> int:
        if claim.kind is ClaimKind.HOLD:
            return self._number(claim.holder_key or claim.owner_id)
        known = self._client_of.get((cell, claim.owner_id))
        return self._number(claim.owner_id) if known is None else known

    def _stranger(self, change: Change) -> int:
        return self._number(f"whoever asked for revision {change.revision}")

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _named(self, client: int) -> str:
        return list(self._numbers)[client]

    # Answers.

    def answers(self) -> Iterator[Violation]:
        """Check that what was answered is in the log, once, after all that was answered before."""
        # Imports are projected away, and need leave no change.
        writes = [
            call
            for call in self._history.calls
            if call.request_id and not isinstance(call.request, ImportBusyFeedRequest)
        ]
        answered = [call for call in writes if call.outcome is Outcome.OK]
        began: dict[int, float] = {}
        for call in writes:
            began[call.operation] = min(call.began, began.get(call.operation, call.began))
        newest = _Newest(answered)
        first: dict[int, Call] = {}
        for call in answered:
            self.checks[ANSWERS] += 1
            same = first.setdefault(call.operation, call)
            if same.revision != call.revision:
                text = f"was answered OK at {same.revision}, and again at {call.revision}"
                yield self._misanswered("B3", text, same, call)
            elif not self._askers.is_in_log(call):
                yield self._misanswered("B2", f"was answered OK at {call.revision}", call)
            elif (since := newest.before(began[call.operation])) >= call.revision:
                text = f"was answered OK at {call.revision}, and began after {since} was answered"
                yield self._misanswered("B4", text, call)

    def _misanswered(self, promise: str, text: str, *calls: Call) -> Violation:
        call = calls[-1]
        return Violation(
            promise=promise,
            rule=RULE,
            text=f"{call.method} by {call.client} (request {call.request_id}) {text}.",
            at=call.ended,
            revision=call.revision,
            calls=tuple(each.number for each in calls),
        )

    # Refusals.

    def refusals(self) -> Iterator[Violation]:
        """Check that who was told that a slot is taken had another in the way, at some revision."""
        busy = [
            Span(short(call.request.calendar), start, end)
            for call in self._history.calls
            if isinstance(call.request, ImportBusyFeedRequest)
            for start, end in busy_times(call.request.ics)
        ]
        newest = _Newest([call for call in self._history.calls if call.outcome is Outcome.OK])
        for call in self._history.calls:
            is_taken = call.outcome is Outcome.REFUSED and call.reason == "SLOT_TAKEN"
            span = _span_wanted(call) if is_taken and call.revision else None
            if span is None or any(_overlap(span, each) for each in busy):
                continue
            self.checks[REFUSALS] += 1
            since = newest.before(call.began)
            if all(self._was_open(call, cell, since) for cell in self._cells.touched(span)):
                yield Violation(
                    promise="B5",
                    rule=RULE,
                    text=(
                        f"{call.method} by {call.client} was refused as taken, and at no"
                        f" revision from {since} to {call.revision} anybody else had"
                        f" {span.calendar} at {span.start:%H:%M}."
                    ),
                    at=call.ended,
                    revision=call.revision,
                    calls=(call.number,),
                )

    def _was_open(self, call: Call, cell: Cell, since: int) -> bool:
        """Say whether nobody stood there at any revision at which it may have been decided.

        The revision that a refusal names is that of its alternatives, or of itself: the last one.
        """
        log = self._logs[cell]
        earliest = min(self._history.database_time(at) for at in (call.began, call.ended or 0.0))
        at = _micros(earliest - CLOCK_SLACK)
        first, last = (
            bisect_right(log, revision, key=lambda entry: entry.revision)
            for revision in (since, call.revision)
        )
        for count in range(first, last + 1):
            has = standing(tuple(log[count - 1 : count]) if count else (), 0, at)
            if has is not None and not allows(has, self._refused(call), Deed.BOOK):
                return False
        return True

    def _refused(self, call: Call) -> int:
        """Return who was refused, if it is somebody who may have a hold there."""
        return self._number(self._askers.key(call) or "nobody")


class _Newest:
    """The newest revision that had been answered at an instant."""

    def __init__(self, answered: Iterable[Call]) -> None:
        in_order = sorted(answered, key=lambda call: call.ended or 0.0)
        self._ends = [call.ended or 0.0 for call in in_order]
        self._revisions: list[int] = []
        for call in in_order:
            self._revisions.append(max([call.revision, *self._revisions[-1:]]))

    def before(self, at: float) -> int:
        """Return it; 0 where nothing had been."""
        index = bisect_right(self._ends, at)
        return self._revisions[index - 1] if index else 0


class _Askers:
    """Who asked for each change: for whom it may act, by what its request names."""

    def __init__(self, history: History, witness: Witness) -> None:
        self._operators_key = operators_key(history, witness)
        # To which entry of the waitlist each hold is offered.
        self._offered = {
            str(offer.hold_id): str(offer.entry_id)
            for change in witness.changes
            for offer in change.offers
        }
        # Whose each hold has ever been.
        self._holders: dict[str, set[str]] = defaultdict(set)
        for change in witness.changes:
            for claim in change.added:
                if claim.kind is ClaimKind.HOLD and claim.holder_key is not None:
                    self._holders[claim.owner_id].add(claim.holder_key)
        bodies: dict[tuple[str, str], dict[int, list[Call]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for call in history.calls:
            if call.request_id:
                bodies[self._principal(call), call.request_id][call.operation].append(call)
        self._calls: dict[int, list[Call]] = {}
        made: dict[int, str] = {}
        for answered in witness.answered:
            asked = bodies.get((answered.principal_id, answered.request_id), {})
            done = who_did(answered, list(asked.values()))
            if done.response is not None and not isinstance(
                done.calls[0].request, ImportBusyFeedRequest
            ):
                self._calls[done.response.revision] = done.calls
                if isinstance(done.calls[0].request, booking_pb.CreateHandoffRequest):
                    made[done.response.revision] = done.response.ticket
        self._handed_over = _handed_over(witness.changes, made, self._redeemed())

    def _redeemed(self) -> dict[int, _Redeemed]:
        """Return by revision which ticket was redeemed, and by whom."""
        return {
            revision: _Redeemed(calls[0].request.ticket, self.key(calls[0]))
            for revision, calls in self._calls.items()
            if isinstance(calls[0].request, booking_pb.RedeemHandoffRequest)
        }

    def _principal(self, call: Call) -> str:
        """Return whose API key a call carries."""
        return call.principal or self._operators_key

    def key(self, call: Call) -> str:
        """Return what stands on claims for the holder that a call names."""
        holder = getattr(call.request, "holder", "")
        return holder_key(self._principal(call), holder) if holder else ""

    def calls_of(self, change: Change) -> tuple[int, ...]:
        """Return the calls that asked for a change."""
        return tuple(call.number for call in self._calls.get(change.revision, ()))

    def is_in_log(self, call: Call) -> bool:
        """Say whether the change that a call was answered is the one that it asked for."""
        return any(
            each.request_id == call.request_id for each in self._calls.get(call.revision, ())
        )

    def may_act_for(self, change: Change, claim: Claim) -> bool:
        """Say whether a change was asked for by whom a claim belongs to, or who named it.

        Who names a hold acts for its holder, all of whose holds give way: also those that were made
        when the one that is named had expired.
        """
        if change.kind in TIMED:
            # Nobody asked: the notifier ends what was not taken in time.
            return claim.owner_id in self._offered
        calls = self._calls.get(change.revision)
        if not calls:
            return False
        if self._handed_over.get(change.revision) == claim.owner_id:
            return True
        named = _named_in(calls[0].request)
        holders = {self.key(calls[0])}.union(*(self._holders.get(each, ()) for each in named))
        is_own = claim.holder_key is not None and claim.holder_key in holders
        return is_own or not named.isdisjoint({claim.owner_id, self._offered.get(claim.owner_id)})


class _Redeemed(NamedTuple):
    ticket: str
    key: str


def _handed_over(
    changes: Sequence[Change], made: Mapping[int, str], redeemed: Mapping[int, _Redeemed]
) -> dict[int, str]:
    """Return by revision which hold was handed over as it may be.

    It must be that of whom the ticket is: who had it made, and then the first to redeem it.
    """
    whose_ticket: dict[str, tuple[str, str]] = {}
    whose_hold: dict[str, str] = {}
    used: set[str] = set()
    found: dict[int, str] = {}
    for change in changes:
        holds = {
            claim.owner_id: claim.holder_key or ""
            for claim in change.added
            if claim.kind is ClaimKind.HOLD
        }
        if ticket := made.get(change.revision):
            whose_ticket[ticket] = next(iter(holds.items()), ("", ""))
        if asked := redeemed.get(change.revision):
            hold_id, key = whose_ticket.get(asked.ticket, ("", ""))
            is_theirs = asked.ticket not in used or key == asked.key
            if is_theirs and whose_hold.get(hold_id) == key:
                found[change.revision] = hold_id
                whose_ticket[asked.ticket] = hold_id, asked.key
                used.add(asked.ticket)
        whose_hold |= holds
    return found


_FREE = Wish(Deed.FREE, 0)
_DONE = {Deed.HOLD: "held", Deed.BOOK: "booked", Deed.FREE: "given back"}


def _named_in(request: Any) -> set[str]:
    """Return the ids of the bookings and holds that a request names."""
    names = {getattr(request, "name", ""), getattr(request, "hold", "")}
    if isinstance(request, booking_pb.BookRequest):
        names.update(each.hold for each in request.appointments)
    if isinstance(request, booking_pb.RescheduleBookingRequest):
        names.add(request.to.hold)
    return {last_part(name) for name in names if name}


def _span_wanted(call: Call) -> Span | None:
    """Return the only stretch that a call wanted, of a type that takes no other."""
    request = call.request
    choice = None
    if isinstance(request, booking_pb.HoldSlotRequest):
        choice = request.slot
    if isinstance(request, booking_pb.BookRequest) and len(request.appointments) == 1:
        choice = request.appointments[0].slot if not request.appointments[0].hold else None
    if choice is None:
        return None
    rules = TYPES[short(choice.appointment_type)]
    calendars = [short(choice.calendar)] if choice.calendar else list(rules.any_of)
    if len(calendars) != 1 or rules.all_of:
        return None
    start = instant(choice.start_time)
    return Span(calendars[0], start, start + rules.duration)


def _is_alone(claim: Claim) -> bool:
    return claim.seat is None and claim.kind is not ClaimKind.BUSY


def _span(claim: Claim) -> Span:
    return Span(claim.calendar_id, claim.start, claim.end)


def _overlap(one: Span, other: Span) -> bool:
    return one.calendar == other.calendar and one.start < other.end and other.start < one.end


def _where(cell: Cell) -> str:
    return f"{cell.calendar} from {cell.start:%Y-%m-%d %H:%M} to {cell.end:%H:%M}"


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
