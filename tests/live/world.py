"""A business with claims that come and go, watched by views, and the truth to hold them against."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

from service.domain.availability import ClaimBook, Hours, Offer, open_slots
from service.domain.change import Change, ChangeKind, ClaimRef
from service.domain.slot import Slot, SlotKey
from service.live.days import DayCache
from service.live.digest import DIGEST_MODULUS, slot_digest
from service.live.frames import (
    Chunk,
    ClearedSpan,
    Delta,
    Heartbeat,
    Reset,
    ResetReason,
    SnapshotEnd,
)
from service.live.replica import Replica, touches_of
from service.live.shared import Position, SharedFrames
from service.live.tokens import Tokens
from service.live.views import View
from tests.builders import NOW

TOKENS = Tokens(b"s" * 32)
_numbers = count(1_000_000)


def an_id():
    return UUID(int=next(_numbers))


class World:
    """A replica, its views, and a clock that only moves when told."""

    def __init__(self, catalog, claims=(), now=NOW):
        self.now = now
        self.catalog = catalog
        self.days = DayCache()
        self.replica = Replica(
            epoch="e1", revision=catalog.version, catalog=catalog, claims=list(claims)
        )
        self.views = []
        self.states = {}
        self._remember()

    def _remember(self):
        self.states[self.replica.revision] = (self.catalog, list(self.replica.offer.claims))

    def view(self, query):
        view = View(query, self.replica, self.days)
        view.advance(self.now)
        self.views.append(view)
        return view

    def truth(self, query, revision=None, as_of=None):
        """Ask the evaluator, without any cache, what is open at a revision and an instant."""
        catalog, claims = self.states[revision or self.replica.revision]
        offer = Offer(catalog, Hours(catalog), ClaimBook(claims))
        return open_slots(offer, query, as_of or self.now)

    def change(self, *, added=(), removed=(), kind=ChangeKind.BOOKED):
        """Apply a change to the replica, as the follower does; the views are not settled."""
        change = Change(
            revision=self.replica.revision + 1,
            at=self.now,
            kind=kind,
            added=tuple(added),
            removed=tuple(
                ClaimRef(
                    claim_id=claim.claim_id,
                    calendar_id=claim.calendar_id,
                    start=claim.start,
                    end=claim.end,
                )
                for claim in removed
            ),
        )
        before = self.replica.revision
        touches = self.replica.apply(change)
        assert touches == touches_of(change)
        self._remember()
        self.days.forget(self.replica, touches)
        for view in self.views:
            view.touch(touches, before)
        return change

    def replace_catalog(self, catalog, reason=None, epoch=None):
        """Load the replica anew with another catalogue."""
        before = self.replica.revision
        self.catalog = replace(catalog, version=before + 1)
        self.replica.load(
            epoch=epoch or self.replica.epoch,
            revision=before + 1,
            catalog=self.catalog,
            claims=list(self.replica.offer.claims),
        )
        self._remember()
        for view in self.views:
            view.reload(before, reason)

    def pass_time(self, time: timedelta):
        """Let time pass; like timers, settle each view at each of its events on the way."""
        until = self.now + time
        while True:
            events = [event for view in self.views if (event := view.next_event_at()) is not None]
            if not events or min(events) > until:
                break
            self.now = max(self.now, min(events))
            self.settle()
        self.now = until

    def settle(self):
        for view in self.views:
            view.advance(self.now)


class Client:
    """Folds frames as the API tells clients to."""

    def __init__(self):
        self.slots: dict[SlotKey, int] = {}
        self.coming: dict[SlotKey, int] = {}
        self.frames = []
        self.is_whole = False

    def take(self, sent):
        for frame, _ in sent:
            # A business that was made anew counts its revisions anew.
            if self.frames and getattr(frame, "reason", None) is not ResetReason.EPOCH:
                assert frame.revision >= self.frames[-1].revision
                assert frame.as_of >= self.frames[-1].as_of
            self.frames.append(frame)
            self._fold(frame)

    def _fold(self, frame):
        match frame:
            case Chunk():
                self.coming.update(frame.slots)
            case SnapshotEnd():
                self.slots, self.coming, self.is_whole = self.coming, {}, True
                assert frame.open_slots == len(self.slots)
            case Delta():
                self._apply(frame)
                self.is_whole = not frame.more
            case Heartbeat():
                assert frame.open_slots == len(self.slots)
                assert frame.digest == self.digest(frame.business_id)
            case Reset():
                self.slots, self.is_whole = {}, False

    def _apply(self, frame):
        for span in frame.cleared:
            self.slots = {key: seats for key, seats in self.slots.items() if not _is_in(span, key)}
        for key in frame.closed:
            self.slots.pop(key, None)
        self.slots.update(frame.opened)

    def digest(self, business_id):
        total = sum(slot_digest(business_id, slot) for slot in self.sorted())
        return total % DIGEST_MODULUS

    def sorted(self):
        return sorted(Slot(key, seats) for key, seats in self.slots.items())


class Stream:
    """A reader of a view that asks for frames when it likes."""

    def __init__(self, view, replica):
        self.view = view
        self.frames = SharedFrames(view, replica, TOKENS, lambda frame: b"")
        self.position = Position(seq=view.history.seq)
        self.client = Client()
        self.take(self.frames.snapshot(view.as_of, view.revision))

    def take(self, sent):
        self.client.take(sent)
        for frame, _ in sent:
            self.position.move(frame)

    def read(self):
        """Take what has come since; begin anew where too much has."""
        seq = self.view.history.seq
        if self.position.seq < seq:
            sent = self.frames.delta(self.position.seq)
            if sent is None:
                snapshot = self.frames.snapshot(self.view.as_of, self.view.revision)
                reason = self.view.history.lost_because(self.position.seq)
                sent = [self.frames.reset(reason, snapshot), *snapshot]
            self.take(sent)
            self.position.seq = seq

    @property
    def token(self):
        return TOKENS.read_resume(self.position.resume_token, self.view.query.business_id)


def _is_in(span: ClearedSpan, key: SlotKey):
    return (
        span.start <= key.start < span.end
        and span.type_id in ("", key.type_id)
        and span.calendar_id in ("", key.calendar_id)
    )
