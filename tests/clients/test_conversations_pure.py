"""What conversations are made of: the days of slots, and what was shown of them. No server."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from slotcast import Hold, SlotChoice, SlotKey
from slotcast.conversations.days import SlotDays
from slotcast.conversations.shown import Claim, ShownSlots
from slotcast.conversations.window import AHEAD_MAX, Window
from tests.clients.wire import DAY, a_slot

SHOWN_MAX = 4
MINUTES = st.integers(0, 4 * 24 * 60)
KEYS = st.builds(
    lambda minute, kind, calendar: SlotKey(
        at(minute), kind, calendar, at(minute) + timedelta(minutes=30)
    ),
    MINUTES,
    st.sampled_from(["cut", "dye"]),
    st.sampled_from(["anna", "bert"]),
)
SLOTS = st.integers(0, 7).map(a_slot)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.lists(SLOTS, max_size=SHOWN_MAX)),
        st.tuples(st.sampled_from(["open", "close", "stand before", "forget"]), SLOTS),
        st.tuples(st.just("tell"), st.none()),
    ),
    max_size=40,
)


def at(minute):
    return DAY + timedelta(minutes=minute)


@given(
    st.lists(KEYS),
    st.lists(st.tuples(st.sampled_from(["add", "remove"]), KEYS)),
    MINUTES,
    MINUTES,
)
def test_the_slots_of_a_span_are_those_that_start_in_it_in_order(begin, changes, first, last):
    days, truth = SlotDays(), set(begin)
    days.replace(truth)
    for change, key in changes:
        getattr(days, change)(key)
        truth = truth | {key} if change == "add" else truth - {key}
    found = list(days.within(at(first), at(last)))
    assert found == sorted(key for key in truth if at(first) <= key.start < at(last))


@given(STEPS)
def test_who_was_told_everything_knows_what_is_open(steps):
    """Whatever happens, when told: what was said to be gone is, unless it is one's own doing."""
    shown = ShownSlots()
    state: dict[SlotKey, bool | None] = {a_slot(number).key: True for number in range(8)}
    said_gone = set()
    for step, what in steps:
        match step:
            case "show":
                shown.show(what, SHOWN_MAX)
                said_gone -= {slot.key for slot in what}
                state |= {slot.key: True for slot in what}  # only what is open is shown
            case "tell":
                gone, back = shown.take_changes(state.__getitem__)
                assert not {slot.key for slot in gone} & said_gone
                assert {slot.key for slot in back} <= said_gone
                said_gone = (said_gone | {slot.key for slot in gone}) - {slot.key for slot in back}
                assert shown.take_changes(state.__getitem__) == ((), ())
                for slot in shown.slots:
                    if state[slot.key] is not None:
                        assert (slot.key in said_gone) == (not state[slot.key])
            case "forget":
                shown.forget(what.key.__eq__)
                said_gone.discard(what.key)
            case _:
                state[what.key] = {"open": True, "close": False, "stand before": None}[step]
        said_gone &= {slot.key for slot in shown.slots}
        assert len(shown) <= SHOWN_MAX


@given(st.lists(st.lists(SLOTS, max_size=SHOWN_MAX), max_size=10))
def test_who_listens_for_what_is_shown_hears_of_exactly_that(lists):
    shown, heard = ShownSlots(), set()
    for slots in lists:
        new, forgotten = shown.show(slots, SHOWN_MAX)
        assert not heard & set(new)
        assert set(forgotten) <= heard
        heard = (heard | set(new)) - set(forgotten)
        assert heard == {slot.key for slot in shown.slots}
        assert set(slots) <= set(shown.slots)


@given(
    st.datetimes(timezones=st.just(UTC), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(minutes=1), AHEAD_MAX),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_a_window_reaches_ahead_until_it_is_due_and_is_within_one_watch(made, ahead, passed):
    window = Window.around(made, ahead)
    assert window.end - window.start <= timedelta(days=62)
    if window.is_due(made + passed):
        assert passed >= timedelta(days=1)
        assert not Window.around(made + passed, ahead).is_due(made + passed)
    else:
        assert window.start <= made + passed
        assert made + passed + ahead <= window.end


def test_a_claim_covers_what_overlaps_it_on_its_calendars():
    held, touching = a_slot(1), a_slot(2)
    hold = Hold(
        name="h",
        appointment_type=held.appointment_type,
        calendars=(held.calendar, "businesses/salon/calendars/room"),
        start=held.start,
        end=held.end,
        expires_at=DAY,
        holder="ada",
    )
    claim = Claim.of(hold, str)
    assert claim.covers(held.key)
    assert claim.covers(a_slot(1, kind="dye").key)
    assert claim.covers(a_slot(1, calendar="room").key)
    assert not claim.covers(a_slot(1, calendar="bert").key)
    assert not claim.covers(touching.key)
    choice = SlotChoice(appointment_type="cut", start=held.start)
    on_any = Claim.of(choice, str)
    assert on_any.covers(a_slot(1, calendar="bert").key)
    assert not on_any.covers(touching.key)
