"""Views: whatever happens, the folded frames of every stream are the truth at their revision."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.frames import ClearedSpan, Delta, Reset, ResetReason
from service.live.history import STEPS_KEPT_MAX
from service.live.resume import AWAY_MAX, replacement, reset_reason
from tests.builders import (
    MONDAY,
    NOW,
    a_calendar,
    a_catalog,
    a_claim,
    a_closure,
    a_hold,
    a_schedule,
    a_type,
    at,
    hours,
    minutes,
    wall,
)
from tests.domain.strategies import cases, catalogs
from tests.live.world import Client, Stream, World

MONDAY_TO_TUESDAY = Interval(at("00:00"), at("00:00") + timedelta(days=2))
QUERY = SlotQuery(business_id="demo", window=MONDAY_TO_TUESDAY)

STORIES = settings(
    max_examples=80,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TIMES = st.sampled_from(
    [timedelta(), timedelta(microseconds=1), minutes(1), minutes(30), hours(1), hours(10)]
)


def starts(slots):
    return [slot.key.start for slot in slots]


class Story:
    """Random events in one business, with one view and some readers of it."""

    def __init__(self, data):
        self.data = data
        case = data.draw(cases())
        self.world = World(replace(case.catalog, version=1), now=case.now)
        self.other_catalog = data.draw(catalogs(case.window.start.date()))
        self.query = SlotQuery(business_id="demo", window=case.window, holder_key=case.holder_key)
        self.outside = case.claims
        self.inside = []
        self.view = self.world.view(self.query)
        self.streams = [Stream(self.view, self.world.replica)]
        self.stood = []

    def tell(self):
        events = [self.come, self.go, self.wait, self.jump, self.settle, self.read, self.beat]
        events += [self.read, self.settle, self.open, self.resume, self.change_catalog]
        events += [self.stand, self.beat_late]
        for event in self.data.draw(st.lists(st.sampled_from(events), max_size=25)):
            event()
        self.settle()
        for stream in self.streams:
            stream.read()
            assert stream.client.sorted() == self.world.truth(self.query)

    def come(self):
        if self.outside:
            claim = self.outside.pop()
            self.world.change(added=[claim])
            self.inside.append(claim)

    def go(self):
        if self.inside:
            claim = self.inside.pop(self.data.draw(st.integers(0, len(self.inside) - 1)))
            self.world.change(removed=[claim])

    def wait(self):
        self.world.pass_time(self.data.draw(TIMES))

    def jump(self):
        """Timers may be late."""
        self.world.now += self.data.draw(TIMES)

    def settle(self):
        self.world.settle()
        truth = self.world.truth(self.query)
        assert self.view.slots() == truth
        assert self.view.open_slots == len(truth)

    def read(self):
        stream = self.data.draw(st.sampled_from(self.streams))
        stream.read()
        self.check(stream)

    def beat(self):
        """PostgreSQL was read a little while ago, when the business was at a revision or before."""
        stream = self.data.draw(st.sampled_from(self.streams))
        revision = self.data.draw(st.sampled_from(sorted(self.world.states)))
        beat = stream.frames.heartbeat(revision, self.world.now - self.data.draw(TIMES))
        self.take_beat(stream, beat)

    def stand(self):
        """PostgreSQL is asked."""
        self.stood.append(self.streams[0].frames.standing())

    def beat_late(self):
        """PostgreSQL has answered, and meanwhile anything may have happened."""
        if self.stood:
            stream = self.data.draw(st.sampled_from(self.streams))
            stood = self.data.draw(st.sampled_from(self.stood))
            revision = self.data.draw(st.sampled_from(sorted(self.world.states)))
            beat = stream.frames.heartbeat_at(stood, revision)
            assert beat is None or beat.frame.revision <= revision
            self.take_beat(stream, beat)

    def take_beat(self, stream, beat):
        has_read_all = stream.position.seq == self.view.history.seq
        if beat is not None and has_read_all and stream.position.may_go_to(beat.frame):
            stream.take([beat])
            self.check(stream)

    def open(self):
        self.settle()
        self.streams.append(Stream(self.view, self.world.replica))
        self.check(self.streams[-1])

    def resume(self):
        """A client comes back with its token; another server's view would do the same."""
        self.settle()
        old = self.data.draw(st.sampled_from(self.streams))
        if reset_reason(old.token, self.world.replica, old.frames.filter_hash) is not None:
            return
        touches = self.world.replica.touches_after(old.token.revision)
        if touches is None:
            return
        new = Stream(self.view, self.world.replica)
        new.client = old.client
        spans = replacement(self.view, self.world.replica, touches, old.token.as_of)
        new.take(new.frames.replacement(*spans))
        self.streams.append(new)
        self.streams.remove(old)
        self.check(new)

    def change_catalog(self):
        catalog, self.other_catalog = self.other_catalog, self.world.catalog
        self.world.replace_catalog(catalog)

    def check(self, stream):
        last = stream.client.frames[-1]
        truth = self.world.truth(self.query, last.revision, last.as_of)
        assert stream.client.sorted() == truth


@STORIES
@given(st.data())
def test_state_reliable_the_folded_frames_of_any_stream_are_the_truth_at_their_revision(data):
    Story(data).tell()


def test_a_hold_that_expires_opens_its_slot_without_any_write():
    world = World(a_catalog(), [a_hold(at("09:00"), expires_at=NOW + minutes(5))])
    view = world.view(QUERY)
    stream = Stream(view, world.replica)
    assert at("09:00") not in starts(stream.client.sorted())
    assert view.next_event_at() == NOW + minutes(5)
    revision = view.revision

    world.pass_time(minutes(5))
    stream.read()

    assert at("09:00") in starts(stream.client.sorted())
    assert stream.client.frames[-1].revision == revision
    assert stream.client.frames[-1].as_of == NOW + minutes(5)


def test_a_day_that_was_derived_as_of_a_later_instant_is_not_shown_for_an_earlier_one():
    """As after the database's clock was set back, also by a list that went on over it."""
    hold = a_hold(at("09:00"), expires_at=NOW + minutes(5))
    world = World(a_catalog(), [hold])

    def day(now):
        found = world.days.get(world.replica, "visit", "anna", MONDAY, hold.end - hold.start, now)
        return starts(found.slots)

    assert hold.start in day(NOW + minutes(5))
    assert hold.start not in day(NOW)


def test_a_slot_that_passes_its_notice_closes_at_the_first_instant_after():
    world = World(a_catalog(types=[a_type(minimum_notice=hours(2))]), now=at("06:59"))
    view = world.view(QUERY)
    assert starts(view.slots())[0] == at("09:00")

    world.pass_time(minutes(1))
    assert starts(view.slots())[0] == at("09:00")
    assert view.next_event_at() == at("07:00") + timedelta(microseconds=1)

    world.pass_time(timedelta(microseconds=1))
    assert starts(view.slots())[0] == at("09:30")


def test_a_day_that_enters_the_horizon_opens_slot_by_slot():
    world = World(a_catalog(types=[a_type(horizon=timedelta(days=2))]), now=NOW)
    view = world.view(QUERY)
    assert starts(view.slots())[-1] == at("12:00")

    world.pass_time(hours(1))
    assert starts(view.slots())[-1] == at("13:00")


def test_a_view_that_time_cannot_change_has_no_event():
    world = World(a_catalog(), now=at("00:00") + timedelta(days=9))
    view = world.view(QUERY)

    assert view.slots() == []
    assert view.next_event_at() is None


def test_what_touches_nothing_of_a_view_moves_its_revision_and_makes_no_step():
    world = World(a_catalog())
    view = world.view(QUERY)
    far = at("09:00") + timedelta(days=30)

    world.change(added=[a_claim(far)])

    assert not view.is_unsettled
    assert view.revision == world.replica.revision
    assert view.history.seq == 0


def test_a_view_that_is_not_settled_still_says_the_revision_whose_slots_it_has():
    world = World(a_catalog())
    view = world.view(QUERY)
    revision = view.revision

    world.change(added=[a_claim(at("09:00"))])
    world.change(added=[a_claim(at("10:00"))])
    assert view.revision == revision

    world.settle()
    assert view.revision == revision + 2


def test_a_change_that_is_undone_before_it_is_read_never_closes_the_slot_for_good():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    claim = a_claim(at("09:00"))

    world.change(added=[claim])
    world.settle()
    world.change(removed=[claim])
    world.settle()
    stream.read()

    assert at("09:00") in starts(stream.client.sorted())
    assert len(stream.client.frames) == 3


def test_a_slow_reader_is_given_merged_state_in_one_frame():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    for number in range(10):
        world.change(added=[a_claim(at("09:00") + number * minutes(30))])
        world.settle()

    stream.read()

    delta = stream.client.frames[-1]
    assert isinstance(delta, Delta)
    assert len(delta.closed) == 10
    assert stream.client.sorted() == world.truth(QUERY)


def test_a_reader_that_fell_too_far_behind_is_told_to_begin_anew():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    claim = a_claim(at("09:00"))
    for _ in range(STEPS_KEPT_MAX // 2 + 1):
        world.change(added=[claim])
        world.settle()
        world.change(removed=[claim])
        world.settle()

    stream.read()

    resets = [frame for frame in stream.client.frames if isinstance(frame, Reset)]
    assert [reset.reason for reset in resets] == [ResetReason.SLOW_READER]
    assert stream.client.sorted() == world.truth(QUERY)


def test_a_reader_of_the_same_steps_is_given_the_same_bytes():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    world.change(added=[a_claim(at("09:00"))])
    world.settle()

    assert stream.frames.delta(0) is stream.frames.delta(0)


def test_a_business_that_was_made_anew_resets_its_streams():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)

    world.replace_catalog(a_catalog(), ResetReason.EPOCH, epoch="e2")
    world.settle()
    stream.read()

    resets = [frame for frame in stream.client.frames if isinstance(frame, Reset)]
    assert [reset.reason for reset in resets] == [ResetReason.EPOCH]


def test_a_business_that_was_made_anew_is_no_slow_reader_however_much_came_after():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    world.replace_catalog(a_catalog(), ResetReason.EPOCH, epoch="e2")
    claim = a_claim(at("09:00"))
    for _ in range(STEPS_KEPT_MAX // 2 + 1):
        world.change(added=[claim])
        world.settle()
        world.change(removed=[claim])
        world.settle()

    stream.read()

    resets = [frame for frame in stream.client.frames if isinstance(frame, Reset)]
    assert [reset.reason for reset in resets] == [ResetReason.EPOCH]


def test_atomic_a_large_change_is_split_only_with_more():
    step = minutes(1)
    catalog = a_catalog(types=[a_type(slot_step=step)])
    world = World(catalog)
    stream = Stream(world.view(QUERY), world.replica)
    assert len(stream.client.slots) > 500

    world.replace_catalog(
        a_catalog(
            types=[a_type(slot_step=step)],
            closures=[a_closure(last_date=MONDAY + timedelta(days=1))],
        )
    )
    world.settle()
    stream.read()

    deltas = [frame for frame in stream.client.frames if isinstance(frame, Delta)]
    assert [delta.more for delta in deltas] == [True, False]
    assert [bool(delta.resume_token) for delta in deltas] == [False, True]
    assert stream.client.sorted() == []


def test_a_calendar_that_changes_its_zone_loses_no_slot_that_is_now_on_another_day():
    always = a_schedule(wall("00:00", "00:00"), weekdays=range(7))
    catalogs_by_zone = [
        a_catalog(calendars=[a_calendar(zone=zone)], schedules=[always])
        for zone in ("UTC", "Pacific/Kiritimati", "America/Santiago", "UTC")
    ]
    world = World(catalogs_by_zone[0])
    stream = Stream(world.view(QUERY), world.replica)

    for catalog in catalogs_by_zone[1:]:
        world.replace_catalog(catalog)
        world.settle()
        stream.read()
        assert stream.client.sorted() == world.truth(QUERY)


def test_an_appointment_type_that_is_deleted_ends_the_view_of_it():
    world = World(a_catalog(types=[a_type(), a_type("class")]))
    view = world.view(replace(QUERY, type_ids=("class",)))

    world.replace_catalog(a_catalog())

    assert view.failure is not None
    assert view.failure.reason == "RESOURCE_NOT_FOUND"


def test_who_was_away_for_long_is_told_all_slots_of_the_watch_anew():
    world = World(a_catalog())
    view = world.view(QUERY)
    world.now += AWAY_MAX + minutes(1)
    world.settle()

    cleared, opened = replacement(view, world.replica, [], NOW)

    window = QUERY.window
    assert cleared == [ClearedSpan("", "", window.start, window.end)]
    assert opened == view.slots()


def test_who_comes_from_after_now_is_told_all_slots_of_the_watch_anew():
    """The database's clock was set back: a hold that had expired then is live again."""
    world = World(a_catalog(), [a_hold(at("09:00"), expires_at=NOW + minutes(1))])
    view = world.view(QUERY)
    assert at("09:00") not in starts(view.slots())

    cleared, opened = replacement(view, world.replica, [], away_since=NOW + minutes(2))

    assert cleared == [ClearedSpan("", "", QUERY.window.start, QUERY.window.end)]
    assert opened == view.slots()


def test_who_was_away_for_a_moment_is_told_only_of_the_days_that_were_touched():
    world = World(a_catalog())
    view = world.view(QUERY)
    token_revision = world.replica.revision
    world.change(added=[a_claim(at("09:00"))])
    world.settle()

    touches = world.replica.touches_after(token_revision)
    cleared, _ = replacement(view, world.replica, touches, NOW)

    assert [(span.start, span.end) for span in cleared] == [
        (at("00:00"), at("00:00") + timedelta(days=1))
    ]


def test_an_own_hold_hides_nothing_from_its_holder():
    world = World(a_catalog(), [a_hold(at("09:00"), holder_key="me")])

    assert at("09:00") not in starts(world.view(QUERY).slots())
    assert at("09:00") in starts(world.view(replace(QUERY, holder_key="me")).slots())


def test_a_client_is_whole_only_after_the_end_of_the_snapshot():
    world = World(a_catalog())
    stream = Stream(world.view(QUERY), world.replica)
    client = Client()

    *chunks, end = stream.frames.snapshot(NOW, 0)
    client.take(chunks)
    assert not client.is_whole
    client.take([end])
    assert client.is_whole
