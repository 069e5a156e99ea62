"""Frames of a view, made and encoded once for all of its streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.domain.slot import Slot, SlotKey
from service.live.frames import (
    Chunk,
    ClearedSpan,
    Delta,
    EncodeBody,
    Frame,
    Goodbye,
    GoodbyeReason,
    Heartbeat,
    Reset,
    ResetReason,
    Sent,
    SnapshotEnd,
)
from service.live.history import SlotChanges
from service.live.replica import Replica
from service.live.tokens import ResumeToken, Tokens, filter_hash
from service.live.views import View
from service.ops.failpoints import Failpoint, reach

SLOTS_PER_FRAME_MAX = 500


@dataclass(slots=True)
class Position:
    """How far a stream is: the step that it has, and what its last frames said."""

    seq: int = 0
    beats: int = 0
    revision: int = 0
    as_of: datetime | None = None
    resume_token: str = ""

    def may_go_to(self, frame: Frame) -> bool:
        """Say whether a frame may follow: revisions and instants never go back on a stream."""
        return frame.revision >= self.revision and (self.as_of is None or frame.as_of >= self.as_of)

    def move(self, frame: Frame) -> None:
        """Remember what was sent."""
        self.revision, self.as_of = frame.revision, frame.as_of
        self.resume_token = frame.resume_token or self.resume_token


class Standing(NamedTuple):
    """The step that a view had come to, and the revision and instant at which it was the truth."""

    seq: int
    revision: int
    as_of: datetime


class SharedFrames:
    """Makes the frames of a settled view, and remembers them for the streams that need the same."""

    def __init__(self, view: View, replica: Replica, tokens: Tokens, encode: EncodeBody) -> None:
        """Begin with nothing made."""
        self._view = view
        self._replica = replica
        self._tokens = tokens
        self._encode = encode
        self.filter_hash = filter_hash(view.query)
        self._deltas: dict[int, list[Sent]] = {}
        self._deltas_seq = -1
        self._snapshot: list[Sent] = []
        self._snapshot_seq = -1

    def delta(self, seq: int) -> list[Sent] | None:
        """Return what leads from a step to the last one; None: too far behind."""
        reach(Failpoint.BEFORE_DELTA)
        if self._deltas_seq != self._view.history.seq:
            self._deltas, self._deltas_seq = {}, self._view.history.seq
        sent = self._deltas.get(seq)
        if sent is None:
            changes = self._view.history.after(seq)
            if changes is None:
                return None
            sent = self._deltas[seq] = self._encoded(self._parts_of(changes))
        return sent

    def snapshot(self, not_before: datetime, min_revision: int) -> list[Sent]:
        """Return all open slots, at an instant and a revision or later."""
        reach(Failpoint.BEFORE_SNAPSHOT)
        last = self._snapshot[-1].frame if self._snapshot else None
        if (
            last is None
            or self._snapshot_seq != self._view.history.seq
            or last.as_of < not_before
            or last.revision < min_revision
        ):
            self._snapshot = self._encoded(self._chunks())
            self._snapshot_seq = self._view.history.seq
        return self._snapshot

    def replacement(self, cleared: Sequence[ClearedSpan], opened: Sequence[Slot]) -> list[Sent]:
        """Return a delta that puts slots in place of all that were in some spans."""
        return self._encoded(self._parts(cleared, (), opened))

    def heartbeat(self, revision: int, as_of: datetime) -> Sent | None:
        """Return a heartbeat for what PostgreSQL told; None: the slots are not those of then."""
        view = self._view
        if view.is_unsettled or view.as_of is None or view.judged_as_of is None:
            return None
        # Not after what the view has, and not before what it was last judged for.
        if not view.judged_revision <= revision <= view.revision:
            return None
        if not view.judged_as_of <= as_of <= view.as_of:
            return None
        return self._heartbeat(revision, as_of)

    def standing(self) -> Standing | None:
        """Return what the view shows, settled or not; None: nothing yet."""
        view = self._view
        if view.as_of is None:
            return None
        return Standing(view.history.seq, view.revision, view.as_of)

    def heartbeat_at(self, stood: Standing, revision: int) -> Sent | None:
        """Return a heartbeat for where the view stood before PostgreSQL told a revision.

        It holds however often the view was touched since: the slots shown are still those of that
        step, which were the truth when it was settled, and PostgreSQL is proved to have had that
        revision. None: other slots have been sent since, or the revision is not proved.
        """
        if stood.seq != self._view.history.seq or stood.revision > revision:
            return None
        return self._heartbeat(stood.revision, stood.as_of)

    def _heartbeat(self, revision: int, as_of: datetime) -> Sent:
        view = self._view
        frame = Heartbeat(
            business_id=view.query.business_id,
            revision=revision,
            as_of=as_of,
            resume_token=self._token(revision, as_of),
            open_slots=view.open_slots,
            digest=view.digest,
        )
        return Sent(frame, self._encode(frame))

    def reset(self, reason: ResetReason, snapshot: Sequence[Sent]) -> Sent:
        """Return what announces a snapshot in place of a resumption."""
        first = snapshot[0].frame
        frame = Reset(
            business_id=first.business_id,
            revision=first.revision,
            as_of=first.as_of,
            reason=reason,
        )
        return Sent(frame, self._encode(frame))

    def goodbye(self, at: Position, reason: GoodbyeReason, delay_seconds: float) -> Sent:
        """Return a planned end, to be resumed from where the stream is."""
        frame = Goodbye(
            business_id=self._view.query.business_id,
            revision=at.revision,
            as_of=at.as_of or self._as_of,
            resume_token=at.resume_token,
            reason=reason,
            retry_delay_seconds=delay_seconds,
        )
        return Sent(frame, self._encode(frame))

    def _chunks(self) -> Iterator[Frame]:
        view, slots = self._view, self._view.slots()
        revision, as_of = view.revision, self._as_of
        for start in range(0, len(slots), SLOTS_PER_FRAME_MAX):
            yield Chunk(
                business_id=view.query.business_id,
                revision=revision,
                as_of=as_of,
                slots=tuple(slots[start : start + SLOTS_PER_FRAME_MAX]),
            )
        yield SnapshotEnd(
            business_id=view.query.business_id,
            revision=revision,
            as_of=as_of,
            resume_token=self._token(revision, as_of),
            open_slots=len(slots),
        )

    def _parts_of(self, changes: SlotChanges) -> Iterator[Frame]:
        closed = sorted(key for key, seats in changes.items() if seats is None)
        opened = sorted(Slot(key, seats) for key, seats in changes.items() if seats is not None)
        return self._parts((), closed, opened)

    def _parts(
        self, cleared: Sequence[ClearedSpan], closed: Sequence[SlotKey], opened: Sequence[Slot]
    ) -> Iterator[Frame]:
        """Yield a delta in parts that are not too large; what opens comes last."""
        view, revision, as_of = self._view, self._view.revision, self._as_of
        entries = [*cleared, *closed, *opened]
        for start in range(0, max(len(entries), 1), SLOTS_PER_FRAME_MAX):
            part = entries[start : start + SLOTS_PER_FRAME_MAX]
            more = start + SLOTS_PER_FRAME_MAX < len(entries)
            yield Delta(
                business_id=view.query.business_id,
                revision=revision,
                as_of=as_of,
                resume_token="" if more else self._token(revision, as_of),
                cleared=tuple(entry for entry in part if isinstance(entry, ClearedSpan)),
                closed=tuple(entry for entry in part if isinstance(entry, SlotKey)),
                opened=tuple(entry for entry in part if isinstance(entry, Slot)),
                more=more,
            )

    @property
    def _as_of(self) -> datetime:
        assert self._view.as_of is not None
        return self._view.as_of

    def _token(self, revision: int, as_of: datetime) -> str:
        return self._tokens.resume(
            ResumeToken(
                business_id=self._view.query.business_id,
                epoch=self._replica.epoch,
                revision=revision,
                as_of=as_of,
                filter_hash=self.filter_hash,
            )
        )

    def _encoded(self, frames: Iterator[Frame]) -> list[Sent]:
        return [Sent(frame, self._encode(frame)) for frame in frames]
