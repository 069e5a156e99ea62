"""The eraser: what a chat told of a person goes soon after their hold has lapsed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from service.actions import erasing
from service.actions.erasing import Eraser
from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.domain.commands import CreateHandoff, RedeemHandoff
from service.domain.handoff import PrefilledField, Provenance
from service.store import handoffs
from tests.actions.conftest import open_shop, outcome
from tests.actions.submissions import PRINCIPAL, a_shop, a_submission, hold, renew, slot

KNOWN = (PrefilledField(name="email", value="kim@example.org", provenance=Provenance.SAID),)
LAPSE = "UPDATE holds SET expires_at = now() - interval '1 second'"
ERASED = "SELECT count(*) FROM handoffs WHERE erased_at IS NOT NULL AND fields = '[]'"


async def handed_off(lanes, number=1, business_id="demo"):
    """Hold a slot, and make a ticket of it; returns the hold's and the handoff's id."""
    held = await outcome(lanes, hold(slot(number), business_id=business_id))
    handoff_id = uuid4()
    command = CreateHandoff(
        handoff_id=handoff_id, hold_id=UUID(held["hold"]), principal_id=PRINCIPAL, fields=KNOWN
    )
    assert "hold" in await outcome(lanes, a_submission(command, business_id=business_id))
    return held["hold"], handoff_id


async def test_what_a_live_hold_carries_stays(lanes, shop, books, database):
    await handed_off(lanes)

    assert await Eraser(database).erase() == 0
    assert await books.rows(ERASED) == [(0,)]


async def test_it_erases_in_all_businesses_a_little_at_a_time(
    lanes, shop, books, database, monkeypatch
):
    monkeypatch.setattr(erasing, "BUSINESSES_MAX", 1)
    monkeypatch.setattr(erasing, "ROWS_MAX", 1)
    await open_shop(lanes, a_shop(), "other")
    for number in range(3):
        for business_id in ("demo", "other"):
            await handed_off(lanes, number, business_id)
    await books.run(LAPSE)

    assert await Eraser(database).erase() == 6
    assert await books.rows(ERASED) == [(6,)]


async def test_a_business_in_which_it_fails_keeps_no_other_waiting(
    lanes, shop, books, database, monkeypatch
):
    monkeypatch.setattr(erasing, "BUSINESSES_MAX", 1)
    erase_lapsed, failures = handoffs.erase_lapsed, []
    businesses = ("demo", "another", "other")
    for business_id in businesses[1:]:
        await open_shop(lanes, a_shop(), business_id)
    for business_id in businesses:
        await handed_off(lanes, 1, business_id)
    await books.run(LAPSE)

    async def fail_first(tx, business_id, *, rows_max):
        if not failures or business_id in failures:
            failures.append(business_id)
            raise ValueError
        return await erase_lapsed(tx, business_id, rows_max=rows_max)

    monkeypatch.setattr(handoffs, "erase_lapsed", fail_first)

    assert await Eraser(database).erase() == 2
    assert len(failures) == 1
    monkeypatch.undo()
    assert await Eraser(database).erase() == 1


async def test_a_round_is_bounded_and_the_next_look_goes_on(
    lanes, shop, books, database, monkeypatch
):
    monkeypatch.setattr(erasing, "ROWS_MAX", 1)
    monkeypatch.setattr(erasing, "ROUNDS_MAX", 2)
    for number in range(3):
        await handed_off(lanes, number)
    await books.run(LAPSE)

    assert [await Eraser(database).erase() for _ in range(3)] == [2, 1, 0]


async def test_of_a_hold_that_is_renewed_meanwhile_nothing_is_erased(
    lanes, shop, books, database, owner
):
    await handed_off(lanes)
    await books.run(LAPSE)

    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("UPDATE holds SET expires_at = now() + interval '5 minutes'")
        during = await Eraser(database).erase()

    assert (during, await Eraser(database).erase()) == (0, 0)
    assert await books.rows(ERASED) == [(0,)]


async def test_a_batch_that_renews_a_hold_and_the_eraser_come_one_after_the_other(
    lanes, shop, books, database
):
    for number in range(10):
        held, handoff_id = await handed_off(lanes, number)
        await books.run(f"{LAPSE} WHERE hold_id = $1", UUID(held))
        redeem = RedeemHandoff(
            handoff_id=handoff_id, principal_id="page", holder="page", request_id=f"r-{number}"
        )

        erased, redeemed = await asyncio.gather(
            Eraser(database).erase(),
            outcome(lanes, a_submission(redeem, principal_id="page", request_id=f"r-{number}")),
        )

        # Who came first with what is erased was told that it has lapsed; else nothing is erased.
        assert erased == (0 if isinstance(redeemed, dict) else 1)
        assert isinstance(await outcome(lanes, renew(held)), Exception) == (erased == 0)


async def test_handoffs_go_a_day_after_their_tickets_have_expired(lanes, shop, books, database):
    await handed_off(lanes, 1)
    await handed_off(lanes, 2)
    day = timedelta(hours=24)
    janitor = Janitor(database, Retention(requests=day, changes=day), JanitorLimits())
    aged = "UPDATE handoffs SET expires_at = now() - make_interval(hours => $1)"
    await books.run(aged, 23)
    young = await janitor.sweep()
    await books.run(aged, 25)
    old = await janitor.sweep()

    assert (young.handoffs, old.handoffs) == (0, 2)


async def test_it_looks_twice_a_minute_and_goes_on_after_a_failure(
    lanes, shop, books, database, monkeypatch
):
    await handed_off(lanes)
    await books.run(LAPSE)
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 1:
            monkeypatch.setattr(handoffs, "lapsed_businesses", fail)
        elif len(pauses) == 2:
            monkeypatch.undo()
        else:
            raise asyncio.CancelledError

    async def fail(*_, **__):
        raise ConnectionRefusedError

    with pytest.raises(asyncio.CancelledError):
        await Eraser(database, pause=pause).run()

    assert await books.rows(ERASED) == [(1,)]
    assert all(22 <= seconds <= 38 for seconds in pauses)
