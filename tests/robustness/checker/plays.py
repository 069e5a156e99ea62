"""Plays: random sequences of what may be asked, put on a stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from service.domain.ids import last_part
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import CALENDARS, MINUTE, QUARTER, TYPES, key_of_ticket
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS
from tests.robustness.checker.staged import STARTED_AT, Stage
from tests.robustness.checker.staged_streams import Stream
from tests.robustness.history import Call, ClockStep, History, Witness
from tests.robustness.linearizability.ground import bookings_in
from tests.robustness.traffic.handoffs import FIELDS, consent_to
from tests.robustness.traffic.requests import SERIES

SOON = ("walk-in", "drop-in")
FOUGHT_OVER = ("cut", "colour", "class", "consult")
NUMBERS = st.integers(0, 11)
STEPS = st.tuples(
    st.sampled_from(
        [
            *("book", "book", "book", "book", "hold", "hold", "book_hold", "renew", "release"),
            *("cancel", "move", "move", "move_to_hold", "decide", "decide", "book_two"),
            *("series", "close", "reopen", "alter", "import", "list", "list", "explain", "get"),
            *("wait", "wait", "wait", "again", "reuse", "second", "resume"),
            *("join", "join", "join", "leave", "take", "take", "decline", "look"),
            *("hand_off", "hand_off", "redeem", "redeem", "redeem", "agree", "erase"),
            "page",
        ]
    ),
    NUMBERS,
    NUMBERS,
    NUMBERS,
)
"""What is done, and three numbers that say to what."""

TIMER_SECONDS_MAX = 1.5
LONG_PLAY_STEPS = 250
CONTESTED = (
    *("book", "book", "book", "book", "hold", "hold", "hold", "hold", "book_hold", "book_hold"),
    *("book_hold", "renew", "renew", "release", "release", "release", "cancel", "cancel"),
    *("cancel", "cancel", "move", "move", "move_to_hold", "move_to_hold", "decide", "book_two"),
    *("wait", "wait", "again", "reuse", "second", "second", "second", "second", "second"),
    *("hand_off", "hand_off", "hand_off", "redeem", "redeem", "redeem", "redeem", "redeem"),
    *("agree", "agree", "erase", "page", "page", "page"),
    *(
        "series",
        "join",
        "join",
        "join",
        "join",
        "join",
        "leave",
        "take",
        "take",
        "take",
        "decline",
        "look",
    ),
)
"""What is done on a stage where many want the same, hold it, and let it go."""


@dataclass(kw_only=True)
class Play:
    """A stage with two streams, on which steps are done."""

    stage: Stage = field(default_factory=asked.opened)
    holds: list[str] = field(default_factory=list)
    bookings: dict[str, Any] = field(default_factory=dict)
    streams: list[Stream] = field(default_factory=list)
    entries: dict[str, Any] = field(default_factory=dict)
    tickets: list[str] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    passed_on: float = 0.0

    def __post_init__(self) -> None:
        """Open the streams: one of the contested day for a holder, one of the next hour."""
        for request in (
            asked.window(WatchAvailabilityRequest, FOUGHT_OVER, holder="eve"),
            asked.window(WatchAvailabilityRequest, ("walk-in",), ("chair-2",), soon=True),
            asked.window(WatchAvailabilityRequest, ("cut", "class"), ("chair-1",)),
        ):
            self.streams.append(Stream(self.stage, request).snapshot())

    def do(self, step: tuple[str, int, int, int]) -> None:
        """Do a step, and let the streams tell of it; the notifier comes by now and then."""
        name, one, two, three = step
        getattr(self, f"_{name}")(one, two, three)
        if three % 4 or self.stage.now - self.passed_on > TIMER_SECONDS_MAX:
            self._pass_on()
        for number, stream in enumerate(self.streams):
            if (one + number) % 3:
                stream.delta()
            if (two + number) % 5 == 0 and (one + number) % 3 != 0:
                stream.heartbeat()

    def end(self) -> tuple[History, Witness]:
        """Let the notifier come by for the last time, and return what there is to judge."""
        self._pass_on()
        return self.stage.end()

    def let_pass(self, seconds: float) -> None:
        """Let time go by; the notifier looks meanwhile what is due."""
        while seconds > 0:
            self.stage.wait(min(seconds, TIMER_SECONDS_MAX))
            seconds -= TIMER_SECONDS_MAX
            self._pass_on()

    def _pass_on(self) -> None:
        self.stage.pass_on()
        self.passed_on = self.stage.now

    def _ask(self, method: str, request: Any, principal: str = "") -> Call:
        call = self.stage.ask(method, request, principal=principal)
        response = call.response
        if response is not None and method in {"HoldSlot", "RenewHold", "RedeemHandoff"}:
            self.holds.append(response.hold.name)
            self.held[response.hold.name] = response.hold
        if response is not None and method == "CreateHandoff":
            self.tickets.append(response.ticket)
        for booking in bookings_in(response):
            self.bookings[booking.name] = booking
        if response is not None and "entry" in response.DESCRIPTOR.fields_by_name:
            self.entries[response.entry.name] = response.entry
        return call

    def _slot(self, one: int, two: int, three: int) -> SlotChoice:
        if one >= 10:
            type_id, start = SOON[one - 10], STARTED_AT + (two + 3 * three % 4) * MINUTE
        else:
            type_id, start = FOUGHT_OVER[one % 4], STARTS[two % 6]
        calendars = TYPES[type_id].any_of or TYPES[type_id].all_of[:1]
        return asked.slot(type_id, start, ("", *calendars)[three % (len(calendars) + 1)])

    def _holder(self, number: int) -> str:
        return ("", "eve", "mallory")[number % 3]

    def _book(self, one: int, two: int, three: int) -> None:
        self._ask(*asked.book(self._slot(one, two, three), holder=self._holder(two + three)))

    def _book_two(self, one: int, two: int, three: int) -> None:
        wishes = self._slot(one, two, three), self._slot(two, three, one)
        self._ask(*asked.book(*wishes, holder=self._holder(three)))

    def _series(self, one: int, two: int, three: int) -> None:
        recurrence = SERIES[two % len(SERIES)]
        wish = self._slot(one, two, three)
        self._ask(*asked.book_series(wish, recurrence, all_of_it=three % 2 == 0))

    def _hold(self, one: int, two: int, three: int) -> None:
        self._ask(*asked.hold(self._slot(one, two, three), self._holder(1 + one % 2)))

    def _book_hold(self, one: int, two: int, three: int) -> None:
        if self.holds:
            wishes: list[Any] = [self.holds[-1 - one % len(self.holds)]]
            if three == 0:
                wishes.insert(0, self._slot(two, one, three))
            self._ask(*asked.book(*wishes, holder=self._holder(two)))

    def _renew(self, one: int, *_: int) -> None:
        if self.holds:
            self._ask(*asked.renew(self.holds[-1 - one % len(self.holds)]))

    def _release(self, one: int, *_: int) -> None:
        if self.holds:
            self._ask(*asked.release(self.holds[-1 - one % len(self.holds)]))

    def _hand_off(self, one: int, two: int, three: int) -> None:
        if self.holds:
            principal = "second-desk" if three == 0 else ""
            asked_for = asked.hand_off(self.holds[-1 - one % len(self.holds)], FIELDS[: two % 3])
            self._ask(*asked_for, principal=principal)

    def _redeem(self, one: int, two: int, three: int) -> None:
        """Redeem a ticket, mostly a new one; or one that is none."""
        if self.tickets:
            ticket = self.tickets[-1 - one % 3 % len(self.tickets)]
            ticket = ticket[:-1] if two == 0 else ticket
            page = key_of_ticket(self.tickets[-1 - one % 3 % len(self.tickets)]).principal
            principal = ("second-desk", page, page, "")[three % 4]
            self._ask(*asked.redeem(ticket, ("eve", "joe")[two % 2]), principal=principal)

    def _agree(self, one: int, two: int, three: int) -> None:
        """Book a hold, as somebody was shown it, or otherwise."""
        if not self.holds:
            return
        held = self.held[self.holds[-1 - one % len(self.holds)]]
        start = held.start_time.ToDatetime(UTC)
        calendars = [last_part(name) for name in held.calendars]
        random = Random(one * 144 + two * 12 + three)
        consent = consent_to(random, last_part(held.appointment_type), start, calendars)
        booking = self._booking(two)
        if three == 0 and booking:
            self._ask(*asked.agree(asked.move(booking, held.name), consent))
        else:
            page = key_of_ticket(self.tickets[-1]).principal if self.tickets else ""
            principal = (page, "", "second-desk")[three % 3]
            self._ask(*asked.agree(asked.book(held.name), consent), principal=principal)

    def _page(self, one: int, two: int, three: int) -> None:
        """Do something by a ticket that one may do with a hold, or hold another slot."""
        if not self.tickets:
            return
        principal = key_of_ticket(self.tickets[-1 - one % 3 % len(self.tickets)]).principal
        name = self.holds[-1 - two % 3 % len(self.holds)]
        made = (asked.renew(name), asked.release(name), asked.book(name))
        wish = self._slot(one, two, three)
        held = asked.hold(wish, self._holder(1 + two % 2))
        method, request = (*made, held)[three % 4]
        self._ask(method, request, principal=principal)

    def _erase(self, *_: int) -> None:
        self.stage.erase_lapsed()

    def _booking(self, number: int) -> Any:
        bookings = list(self.bookings.values())
        return bookings[-1 - number % len(bookings)] if bookings else None

    def _cancel(self, one: int, *_: int) -> None:
        if booking := self._booking(one):
            self._ask(*asked.change("CancelBooking", booking))

    def _decide(self, one: int, two: int, _: int) -> None:
        methods = ("ApproveBooking", "DeclineBooking", "CompleteBooking", "MarkNoShow")
        pending = [each for each in self.bookings.values() if each.status == 1]
        booking = pending[-1] if pending and one % 3 else self._booking(one)
        if booking:
            self._ask(*asked.change(methods[two % 4], booking))

    def _move(self, one: int, two: int, three: int) -> None:
        if booking := self._booking(one):
            to = self._slot(one, two, three)
            if three:
                to.appointment_type, to.calendar = booking.appointment_type, ""
            self._ask(*asked.move(booking, to))

    def _move_to_hold(self, one: int, two: int, _: int) -> None:
        booking = self._booking(one)
        if booking and self.holds:
            self._ask(*asked.move(booking, self.holds[-1 - two % len(self.holds)]))

    def _close(self, one: int, two: int, three: int) -> None:
        start = STARTS[two % 6]
        end = start + (1 + one % 3) * QUARTER
        self._ask(*asked.close(f"c{one % 2}", start, end, *CALENDARS[: three % 4]))

    def _reopen(self, one: int, *_: int) -> None:
        self._ask(*asked.reopen(f"c{one % 2}"))

    def _alter(self, one: int, two: int, _: int) -> None:
        changes: tuple[tuple[str, dict[str, Any]], ...] = (
            ("class", {"capacity": 1 + two % 4}),
            ("colour", {"buffer_after": two % 3 * QUARTER}),
            ("cut", {"buffer_before": two % 3 * QUARTER}),
            ("walk-in", {"minimum_notice": two * MINUTE}),
            ("drop-in", {"horizon": timedelta(hours=1) + two * MINUTE}),
            ("consult", {"requires_approval": two % 2 == 0}),
            ("cut", {"cancellation_notice": timedelta(hours=20 * (two % 2))}),
        )
        type_id, fields = changes[one % len(changes)]
        self._ask(*asked.alter(type_id, **fields))

    def _import(self, one: int, two: int, three: int) -> None:
        starts = sorted({STARTS[one % 6], STARTS[two % 6]})
        spans = [(start, start + (1 + three % 2) * QUARTER) for start in starts]
        self._ask(*asked.import_busy(CALENDARS[three % 3], *spans[: one % 3]))

    def _list(self, one: int, two: int, three: int) -> None:
        types = ((), FOUGHT_OVER, SOON, ("cut", "walk-in"))[one % 4]
        calendars = ((), ("chair-1",), ("room", "chair-2"))[two % 3]
        holder = self._holder(three)
        soon = three % 2 == 0
        self._ask(*asked.list_slots(*types, calendars=calendars, holder=holder, soon=soon))

    def _explain(self, one: int, two: int, three: int) -> None:
        self._ask(*asked.explain(self._slot(one, two, three)))

    def _get(self, one: int, *_: int) -> None:
        if booking := self._booking(one):
            self._ask(*asked.get(booking.name))
        self._ask(*asked.list_bookings())

    def _wait(self, one: int, *_: int) -> None:
        for _times in range(1 + one % 4):
            self.let_pass(2.7)
            for stream in self.streams:
                stream.delta()

    def _again(self, one: int, *_: int) -> None:
        """Ask again what was asked before, and is not decided anew since its answer was erased."""
        asked_before = [call for call in self.stage.history.calls if call.request_id]
        calls = [call for call in asked_before if not self.stage.has_erased(call)]
        call = calls[-1 - one % len(calls)]
        self._ask(call.method, call.request)

    def _reuse(self, one: int, two: int, three: int) -> None:
        """Ask for something else under an id that was used."""
        # Of what is erased the id may be used again.
        asked_before = [call for call in self.stage.history.calls if call.request_id]
        calls = [call for call in asked_before if call.method != "RedeemHandoff"]
        wish = self._slot(one, two, three)
        made: tuple[tuple[str, Any], ...] = asked.hold(wish), asked.book(wish, holder="eve")
        method, request = made[one % 2]
        request.request_id = calls[-1 - one % len(calls)].request_id
        self._ask(method, request)

    def _join(self, one: int, two: int, three: int) -> None:
        type_id = FOUGHT_OVER[one % 4]
        calendars = TYPES[type_id].any_of or TYPES[type_id].all_of[:1]
        start, length = STARTS[two % 6], QUARTER * (1 + three % 3)
        if one == 11:
            # None of a class is so soon.
            start, length = self.stage.clock - MINUTE / 60, MINUTE / 30 * (1 + two)
        some = calendars[: three // 4]
        holder = ("eve", "mallory", "joe", "ann")[(one + two) % 4]
        self._ask(*asked.join(type_id, start, *some, holder=holder, length=length))

    def _entry(self, number: int) -> Any:
        entries = list(self.entries.values())
        return entries[-1 - number % len(entries)] if entries else None

    def _leave(self, one: int, *_: int) -> None:
        if entry := self._entry(one):
            self._ask(*asked.leave(entry.name))

    def _look(self, one: int, *_: int) -> None:
        if entry := self._entry(one):
            self._ask(*asked.get_entry(entry.name))
        self._ask(*asked.list_entries())

    def _take(self, one: int, two: int, _: int) -> None:
        """Look what is offered to somebody, and book it, sometimes with another slot."""
        hold = self._offered_to(one)
        if hold and two == 0 and (booking := self._booking(one)):
            self._ask(*asked.move(booking, hold))
        elif hold:
            self._ask(*asked.book(hold))

    def _decline(self, one: int, two: int, _: int) -> None:
        hold = self._offered_to(one)
        if hold:
            self._ask(*(asked.renew(hold) if two == 0 else asked.release(hold)))

    def _offered_to(self, number: int) -> str:
        entry = self._entry(number)
        if entry is None:
            return ""
        call = self._ask(*asked.get_entry(entry.name))
        return str(call.response.entry.offer.name or entry.offer.name)

    def _second(self, one: int, two: int, three: int) -> None:
        """Do something with another API key."""
        made = (
            asked.hold(self._slot(one, two, three), "eve"),
            asked.book(self._slot(one, two, three), holder="eve"),
            *(asked.renew(name) for name in self.holds[-1:]),
            *(asked.book(name) for name in self.holds[-2:-1]),
            asked.explain(self._slot(one, two, three), "eve"),
            asked.list_slots("cut", holder="eve"),
            asked.join("cut", STARTS[two % 6], holder="eve"),
        )
        self._ask(*made[one % len(made)], principal="second-desk")

    def _resume(self, one: int, two: int, _: int) -> None:
        number = one % len(self.streams)
        before = self.streams[number]
        request = WatchAvailabilityRequest()
        request.CopyFrom(before.watch.request)
        before = before.goodbye() if two % 2 else before.end()
        after = Stream(self.stage, request, server="b", resumes=before)
        self.streams[number] = after
        after.delta()


def long_play(seed: int, *, sets_the_clock: bool) -> tuple[History, Witness]:
    """Play for long by a seed, unwatched; the clock of the database may be set now and then."""
    random, play = Random(seed), Play()
    play.streams.clear()
    play.stage.history.watches.clear()
    for _ in range(LONG_PLAY_STEPS):
        if sets_the_clock and random.random() < 0.03:
            offset = timedelta(seconds=random.randint(-15, 15))
            play.stage.history.clock_steps.append(ClockStep(play.stage.now, offset))
        elif random.random() < 0.02:
            play.let_pass(8 * random.random())
        else:
            one, two, three = (random.randrange(12) for _ in range(3))
            play.do((random.choice(CONTESTED), one, two, three))
    return play.end()
