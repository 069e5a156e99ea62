"""That the judges object to what was refused, or begun anew, for no reason; and to nothing else."""

from datetime import timedelta
from random import Random

import pytest

from service.domain.change import Change, ChangeKind
from service.domain.errors import Overloaded
from service.domain.slot import SlotQuery
from service.live import watchers
from service.live.follower import Follower
from service.live.frames import Reset, ResetReason
from service.live.tokens import ResumeToken, filter_hash
from tests.robustness.simulation import refusals, resets
from tests.robustness.simulation.bus import Bus, Manners
from tests.robustness.simulation.judges import violations
from tests.robustness.simulation.loop import VirtualLoop, at_home
from tests.robustness.simulation.readers import Arrival, Given, Stream
from tests.robustness.simulation.refusals import Refused
from tests.robustness.simulation.shop import AFTERNOON, BUSINESS, NOON, a_shop, second
from tests.robustness.simulation.store import Link, Store
from tests.robustness.simulation.truth import State, Truth
from tests.robustness.simulation.world import Fault, Record, World

LESSONS = SlotQuery(business_id=BUSINESS, window=AFTERNOON, type_ids=("lesson",))
SEED_SET_BACK = 12
"""With it the database's clock is set back early, and nothing hinders anybody after that."""
SEED_PAUSED_TWICE = 501_238
SEED_CUT_OFF = 451_120_151


def a_record(*faults):
    """The business is at 5, at 6 since the instant 4, and is not there from 8 to 9."""
    loop, truth = VirtualLoop.begun(), Truth()
    truth.begin_life("life-1", a_state(5, 0.0))
    truth.life.states.append(a_state(6, 4.0, kind=ChangeKind.CATALOG_CHANGED))
    truth.end_life(8.0)
    truth.begin_life("life-2", a_state(1, 9.0))
    return Record(
        seed=0,
        truth=truth,
        store=Store(loop, truth, Random(0)),
        bus=Bus(loop, Random(0), Manners()),
        narrowed={},
        faults=list(faults),
    )


def a_state(revision, at, *, kind=None):
    return State(
        revision=revision,
        committed_at=at,
        stamp=NOON + second(at),
        catalog=a_shop(1),
        claims={},
        change=None if kind is None else Change(revision=revision, at=NOON, kind=kind),
    )


def a_call(reason, since, ended_at, **changes):
    return Refused("one", since, ended_at, LESSONS, changes.pop("asked", 0), reason, **changes)


def a_token(revision=5, *, epoch="life-1", query=LESSONS):
    return ResumeToken(
        business_id=BUSINESS,
        epoch=epoch,
        revision=revision,
        as_of=NOON,
        filter_hash=filter_hash(query),
    )


CUT = Fault("cut", "one", 1.0, 2.0)


@pytest.mark.parametrize(
    "call",
    [
        a_call("OVERLOADED", 1.5, 2.5),
        a_call("OVERLOADED", 0.5, 1.5, stream=3),
        a_call("REVISION_AHEAD", 5.0, 6.1, asked=7),
        a_call("REVISION_AHEAD", 5.0, 6.1, token=a_token(7)),
        a_call("REVISION_AHEAD", 2.5, 4.05, asked=6),
        a_call("RESOURCE_NOT_FOUND", 7.9, 8.1),
        a_call("RESOURCE_NOT_FOUND", 8.9, 9.1),
        a_call("RESOURCE_NOT_FOUND", 9.2, 9.9, has_begun=True),
    ],
)
def test_a_refusal_with_a_cause_is_none_to_object_to(call):
    assert refusals.objection(a_record(CUT), call) is None


@pytest.mark.parametrize(
    "call",
    [
        a_call("OVERLOADED", 4.0, 5.0),
        a_call("OVERLOADED", 4.0, 5.0, asked=7),
        a_call("OVERLOADED", 1.5, 2.5, has_begun=True),
        a_call("REVISION_AHEAD", 5.0, 5.1, asked=7),
        a_call("REVISION_AHEAD", 5.0, 6.1, asked=6),
        a_call("REVISION_AHEAD", 5.0, 6.1),
        a_call("REVISION_AHEAD", 10.0, 11.1, token=a_token(7)),
        a_call("RESOURCE_NOT_FOUND", 7.0, 7.9),
        a_call("RESOURCE_NOT_FOUND", 9.1, 9.9),
        a_call("RESOURCE_NOT_FOUND", 11.0, 11.9, has_begun=True),
        a_call("UNHEARD_OF", 5.0, 5.1),
    ],
)
def test_a_refusal_without_a_cause_is_found(call):
    assert refusals.objection(a_record(CUT), call) is not None


@pytest.mark.parametrize(("by", "ended_at", "is_found"), [(-3, 6.0, 0), (-3, 7.0, 1), (3, 6.0, 1)])
def test_a_step_back_of_the_clock_is_an_excuse_for_a_moment_only(by, ended_at, is_found):
    record = a_record(Fault("step", "", 5.0, 5.0))
    record.truth.step_clock(5.0, timedelta(seconds=by))

    call = a_call("OVERLOADED", ended_at - 0.1, ended_at)

    assert bool(refusals.objection(record, call)) == is_found


def test_w3_a_process_that_refuses_all_once_its_clock_was_set_back_is_found(monkeypatch):
    set_back, get = Follower._set_back, Follower.get
    refusing = []

    async def get_or_refuse(self, *args, **options):
        if self in refusing:
            raise Overloaded("It refuses all.")
        return await get(self, *args, **options)

    def set_back_and_refuse(self):
        set_back(self)
        refusing.append(self)

    assert not violations(World(SEED_SET_BACK).run())
    monkeypatch.setattr(Follower, "_set_back", set_back_and_refuse)
    monkeypatch.setattr(Follower, "get", get_or_refuse)

    found = violations(World(SEED_SET_BACK).run())

    assert "W3 refusal" in {each.promise for each in found}
    assert any(each.stream < 0 for each in found), "Lists are refused, too."


# Resets.


def a_stream(reason, given, *, revision=6, epoch="life-1"):
    """What a stream that began anew at the instant 5 looks like."""
    stream = Stream(
        number=0,
        reader="ada",
        process="one",
        query=LESSONS,
        opened_at=4.9,
        given=Given("", given, {}),
        min_revision=0,
    )
    reset = Reset(business_id=BUSINESS, revision=revision, as_of=NOON, reason=reason)
    stream.arrivals.append(Arrival(5.0, 5.0, reset, {}, a_token(revision, epoch=epoch)))
    return stream


OTHER = SlotQuery(business_id=BUSINESS, window=AFTERNOON)


def needed(token, *, epoch="life-1", floor=5):
    record = a_record()
    record.truth.lives["life-1"].trim(3.0, floor)
    return {
        reason
        for reason in ResetReason
        if resets.objection(record, a_stream(reason, token, epoch=epoch), 0) is None
    }


def test_only_what_was_so_is_a_reason_to_begin_anew():
    assert needed(a_token(6)) == set()
    assert needed(a_token(5)) == {ResetReason.CATALOG}
    assert needed(a_token(6), floor=7) == {ResetReason.COMPACTED}
    assert needed(a_token(6, query=OTHER)) == {ResetReason.FILTER}
    assert needed(a_token(6, query=OTHER), epoch="life-2") == {ResetReason.EPOCH}


@pytest.mark.parametrize("has_slept", [False, True])
def test_only_who_has_slept_is_a_slow_reader(has_slept):
    stream = a_stream(ResetReason.SLOW_READER, a_token(6))
    stream.arrivals.append(stream.arrivals[0]._replace(at=6.0, made_at=6.0))
    if has_slept:
        stream.pauses.append((5.0, 6.0))

    assert (resets.objection(a_record(), stream, 1) is None) == has_slept


def test_w3_a_server_that_always_begins_anew_is_found(monkeypatch):
    monkeypatch.setattr(watchers, "reset_reason", lambda *_: ResetReason.CATALOG)

    found = violations(World(SEED_SET_BACK).run())

    assert any("catalog, for no cause" in each.what for each in found)


def test_w5_who_was_paused_cannot_know_that_the_clock_was_set_back_meanwhile():
    """The pause went on, as another one began before its end."""
    assert not violations(World(SEED_PAUSED_TWICE).run())


def test_w5_nor_can_who_was_cut_off_from_the_database():
    assert not violations(World(SEED_CUT_OFF).run())


# Faults that overlap: each goes on until its own end.


def test_what_fails_and_is_slow_ends_at_the_end_of_each():
    link = Link()
    link.fail(2.0)
    link.fail(1.0)
    link.slow_down(3.0)

    assert [link.failures(at) for at in (1.5, 2.5)] == [0.5, 0.0]
    assert link.delay_seconds_max(2.5) > link.delay_seconds_max(3.5)


def test_who_is_paused_again_goes_on_at_the_later_end():
    loop, went_on = VirtualLoop.begun(), []

    async def main():
        loop.pause("one", 1.0)
        await loop.elapse(0.5)
        loop.pause("one", 2.0)
        loop.pause("one", 0.1)
        loop.call_later(0.1, lambda: went_on.append(loop.time()), context=at_home("one"))
        await loop.elapse(3.0)

    loop.run(main())

    assert went_on == [2.5]
