"""Replicas: changed only in the order of the revisions."""

import pytest

from service.domain.change import Change, ChangeKind
from service.live.cells import Touch
from service.live.replica import CHANGES_KEPT_MAX, EXPIRED_KEPT, PAST_KEPT, Replica
from tests.builders import NOW, a_catalog, a_claim, a_hold, at, minutes
from tests.live.world import World


def a_replica(*claims, revision=1):
    return Replica(epoch="e1", revision=revision, catalog=a_catalog(), claims=claims)


def a_change(revision, *added, kind=ChangeKind.BOOKED):
    return Change(revision=revision, at=NOW, kind=kind, added=added)


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_replica_only_takes_the_change_that_follows(revision):
    replica = a_replica(revision=1)

    with pytest.raises(ValueError, match="does not follow"):
        replica.apply(a_change(revision, a_claim(at("09:00"))))

    assert replica.revision == 1
    assert len(replica.offer.claims) == 0


@pytest.mark.parametrize("kind", [ChangeKind.CATALOG_CHANGED, ChangeKind.BUSY_IMPORTED])
def test_a_replica_takes_no_change_that_does_not_tell_all(kind):
    with pytest.raises(ValueError, match="renewed"):
        a_replica().apply(a_change(2, kind=kind))


def test_a_change_touches_what_it_frees_and_what_it_takes():
    moved = a_claim(at("09:00"))
    world = World(a_catalog(), [moved])

    world.change(removed=[moved], added=[a_claim(at("11:00"))])

    assert world.replica.touches_after(1) == [
        Touch("anna", at("09:00"), at("09:30")),
        Touch("anna", at("11:00"), at("11:30")),
    ]


def test_what_touched_a_replica_is_remembered_for_the_last_changes_only():
    replica = a_replica()
    claim = a_claim(at("09:00"))
    for revision in range(2, CHANGES_KEPT_MAX + 4):
        replica.apply(a_change(revision, claim))

    assert replica.remembers_after == 3
    assert replica.touches_after(2) is None
    assert len(replica.touches_after(3)) == CHANGES_KEPT_MAX


def test_a_replica_can_be_reminded_of_what_came_before_it():
    replica = a_replica(revision=5)
    replica.apply(a_change(6, a_claim(at("12:00"))))

    replica.remember([a_change(4, a_claim(at("09:00"))), a_change(5, a_claim(at("10:00")))])

    assert [touch.start for touch in replica.touches_after(3)] == [
        at("09:00"),
        at("10:00"),
        at("12:00"),
    ]
    assert replica.touches_after(2) is None


def test_a_replica_does_not_remember_across_a_change_that_tells_not_all():
    replica = a_replica(revision=5)

    replica.remember([a_change(4), a_change(5, kind=ChangeKind.BUSY_IMPORTED)])

    assert replica.touches_after(4) is None


def test_what_an_expired_hold_freed_is_told_for_a_while():
    replica = a_replica(a_hold(at("09:00"), expires_at=NOW + minutes(5)))
    freed = [Touch("anna", at("09:00"), at("09:30"))]

    assert replica.expired_between(NOW, NOW + minutes(4)) == []
    assert replica.expired_between(NOW, NOW + minutes(5)) == freed
    assert replica.expired_between(NOW + minutes(5), NOW + minutes(6)) == []


def test_a_clock_that_was_set_back_may_need_what_was_forgotten():
    replica = a_replica(a_hold(at("09:00"), expires_at=NOW))
    replica.prove(NOW)
    replica.prune(NOW + EXPIRED_KEPT + minutes(1))

    assert not replica.set_back(NOW + minutes(1))
    assert replica.set_back(NOW)
    assert replica.proved_as_of < NOW


def test_claims_that_matter_to_nobody_are_forgotten():
    past = a_claim(NOW - PAST_KEPT - minutes(40))
    recent = a_claim(NOW - PAST_KEPT)
    expired = a_hold(at("09:00"), expires_at=NOW - EXPIRED_KEPT - minutes(1))
    live = a_hold(at("10:00"))
    replica = a_replica(past, recent, expired, live)

    replica.prune(NOW)

    assert set(replica.offer.claims) == {recent, live}
