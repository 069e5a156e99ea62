"""Callers: chat backends that hold, book, move, cancel and read, and try again when in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

import grpc

from slotcast.error_details import error_of_call
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import SECOND_KEY, STRANGERS_KEY, Key, key_of_ticket
from tests.robustness.history import INTERNAL_FAULT, Call, Outcome
from tests.robustness.traffic.ground import Door, Doors, Drawn, Ground
from tests.robustness.traffic.recorder import CHANNEL_CLOSED, reason_of
from tests.robustness.traffic.requests import Draw, in_own_name

ATTEMPTS_MAX = 3
DEADLINE_SECONDS = (0.15, 1.2)
"""So short that some calls are given up on while the server is at work."""
PAUSE_SECONDS = (0.02, 0.4)
STREAMED_PARTS = {"Book": "book", "HoldSlot": "hold_slot", "CancelBooking": "cancel_booking"}
RETRYABLE = frozenset({"OVERLOADED", "REVISION_AHEAD", "RATE_LIMITED"})
READS = frozenset(
    {"ListSlots", "GetBooking", "ExplainSlot", "ListBookings", "GetWaitlistEntry", "ListWaitlist"}
)
LISTS = frozenset({"ListBookings", "ListWaitlist"})
PAGES_MAX = 4
ANSWERED_MAX = 20
STRANGE_METHODS = frozenset(
    {"Book", "HoldSlot", "ListSlots", "ListBookings", "ExplainSlot", "JoinWaitlist", "ListWaitlist"}
    | {"RedeemHandoff"}
)
"""What a stranger asks of a business; all else is asked of a booking, a hold or an entry."""
LOOKS_MAX = 5
LOOK_SECONDS = (0.05, 0.5)
AVAILABILITY = frozenset({"ListSlots", "ExplainSlot"})


class Asking(NamedTuple):
    """As whom a call is made: by which client, with which API key; None: the operator's."""

    client: str
    key: Key | None = None


class Caller:
    """One client. It prefers a server, and changes over when that does not answer."""

    def __init__(self, ground: Ground, random: Random, name: str) -> None:
        """Take what it stands on, and its own source of chance."""
        self._ground = ground
        self._random = random
        self._name = name
        self._draw = Draw(ground, random, name)
        self._desks_draw = Draw(ground, random, f"{name}.desk", is_alone=True)
        self._strangers_draw = Draw(ground, random, f"{name}.stranger")
        self._own = Asking(name)
        self._answered: list[Drawn] = []
        self._server = random.choice(ground.servers)

    async def run(self) -> None:
        """Make traffic until it is over."""
        async with Doors(self._ground.targets) as doors:
            while await self._ground.pause(self._random.uniform(0.0, 0.08)):
                await self._act(doors)

    async def _act(self, doors: Doors) -> None:
        draw = self._draw
        choice = self._random.random()
        if choice < 0.05:
            await self._stream(doors)
        elif choice < 0.13:
            await self._hold_and_book(doors)
        elif choice < 0.155:
            await self._read_pages(doors)
        elif choice < 0.195:
            await self._act_at_the_second_desk(doors)
        elif choice < 0.21:
            await self._act_as_a_stranger(doors)
        elif choice < 0.28:
            await self._wait_for_a_slot(doors)
        elif choice < 0.335:
            await self._hand_over(doors)
        else:
            table = (
                (0.345, draw.finish),
                (0.43, draw.book),
                (0.44, draw.book_series),
                (0.50, draw.hold),
                (0.53, draw.book_known_hold),
                (0.56, draw.renew_or_release),
                (0.57, draw.handoffs.create_of_known),
                (0.59, draw.handoffs.redeem_known),
                (0.60, draw.leave),
                (0.62, draw.take_offer),
                (0.64, draw.look),
                (0.72, draw.reschedule),
                (0.84, draw.cancel),
                (0.90, draw.approve),
                (1.00, draw.read),
            )
            drawn = next(make for until, make in table if choice < until)()
            if drawn is not None:
                await self._operate(doors, drawn)

    async def _hold_and_book(self, doors: Doors) -> None:
        held = await self._operate(doors, self._draw.hold())
        if held.outcome is Outcome.OK and await self._ground.pause(self._random.uniform(0, 0.3)):
            await self._operate(doors, self._draw.book_hold(held.response.hold.name))

    async def _hand_over(self, doors: Doors) -> None:
        """Make a ticket of a hold; some redeem it at once, and all use the hold as theirs."""
        draw, random = self._draw, self._random
        held = await self._operate(doors, draw.hold())
        if held.outcome is not Outcome.OK:
            return
        hold = held.response.hold
        made = await self._operate(doors, draw.handoffs.create(hold.name))
        if made.outcome is not Outcome.OK:
            return
        ticket = made.response.ticket
        redeeming = [
            (draw.handoffs.redeem(ticket), self._as_whoever_has(ticket))
            for _ in range(random.choice((1, 2, 2, 3)))
        ]
        calls = await asyncio.gather(
            *(self._operate(doors, drawn, asking=asking) for drawn, asking in redeeming)
        )
        for call, (drawn, asking) in zip(calls, redeeming, strict=True):
            if call.outcome is Outcome.OK:
                await self._use_the_hold(doors, call.response.hold, drawn.request, asking)

    async def _use_the_hold(
        self,
        doors: Doors,
        hold: booking_pb.Hold,
        redeemed: booking_pb.RedeemHandoffRequest,
        theirs: Asking,
    ) -> None:
        """Let who was handed a hold, who had it before, and others do some of what one may."""
        draw, random, ticket = self._draw, self._random, redeemed.ticket
        for _ in range(random.randint(1, 4)):
            is_page = theirs.key is not None and theirs.key.text == ticket
            drawn, asking = random.choice(
                (
                    (draw.book_as_shown(hold), theirs),
                    (draw.book_as_shown(hold), theirs),
                    (draw.handoffs.redeem(ticket, redeemed.holder), theirs),
                    (draw.handoffs.redeem(ticket), self._as_whoever_has(ticket)),
                    # Of a ticket no ticket is made; another time may do.
                    (draw.hold_beside(hold), theirs)
                    if is_page
                    else (draw.handoffs.create(hold.name), theirs),
                    (draw.renew_or_release_this(hold.name), self._as_whoever_has(ticket)),
                    (draw.book_hold(hold.name), self._own),
                )
            )
            if not await self._ground.pause(random.uniform(0.0, 0.3)):
                return
            await self._operate(doors, drawn, asking=asking)

    def _as_whoever_has(self, ticket: str) -> Asking:
        """Act at a desk, or as the page that has a ticket for its key."""
        desk = Asking(f"{self._name}.desk", SECOND_KEY)
        page = Asking(f"{self._name}.page", key_of_ticket(ticket))
        return self._random.choice((self._own, desk, page, page))

    async def _wait_for_a_slot(self, doors: Doors) -> None:
        """Join the waitlist, look a few times, and take what is offered, decline it, or forget."""
        draw, random = self._draw, self._random
        joined = await self._operate(doors, draw.join())
        if joined.outcome is not Outcome.OK:
            return
        entry = joined.response.entry
        for _ in range(LOOKS_MAX):
            if entry.status != entry.STATUS_WAITING:
                break
            if not await self._ground.pause(random.uniform(*LOOK_SECONDS)):
                return
            cancel = draw.cancel_for(entry) if random.random() < 0.5 else None
            if cancel is not None:
                await self._operate(doors, cancel)
            looked = await self._operate(doors, draw.look_at(entry.name))
            entry = looked.response.entry if looked.outcome is Outcome.OK else entry
        choice = random.random()
        if entry.status == entry.STATUS_OFFERED and choice < 0.5:
            made = draw.book_hold if choice < 0.35 else draw.decline
            await self._operate(doors, made(entry.offer.name))
        elif choice < 0.6:
            await self._operate(doors, draw.leave_for(entry.name))

    async def _act_at_the_second_desk(self, doors: Doors) -> None:
        """Do something with another key of the business; holds of the first one are not its own."""
        draw = self._desks_draw
        with_holds = (draw.book_known_hold, draw.renew_or_release)
        others = (draw.hold, draw.book_for_nobody, draw.cancel, draw.approve, draw.read)
        waiting = (draw.join, draw.look, draw.leave, draw.take_offer, draw.handoffs.redeem_known)
        drawn = self._random.choice((*with_holds, *with_holds, *others, *waiting))()
        asking = Asking(f"{self._name}.desk", SECOND_KEY)
        if drawn is None:
            return
        call = await self._operate(doors, drawn, asking=asking)
        if (
            call.outcome is Outcome.OK
            and drawn.method == "HoldSlot"
            and self._random.random() < 0.6
        ):
            await self._operate(doors, draw.book_hold(call.response.hold.name), asking=asking)

    async def _act_as_a_stranger(self, doors: Doors) -> None:
        """Ask for what is another business's: by its name, by that of one's own, or once more."""
        draw, random = self._strangers_draw, self._random
        makers = (draw.book, draw.hold, draw.read, draw.cancel, draw.renew_or_release, draw.approve)
        waiting = (draw.join, draw.look, draw.leave)
        handoffs = (draw.handoffs.create_of_known, draw.handoffs.redeem_known)
        others = (*waiting, *handoffs, draw.book_known_hold, draw.first_page)
        drawn = random.choice((*makers, *others))()
        if self._answered and random.random() < 0.3:
            drawn = random.choice(self._answered)
        if drawn is None:
            return
        if drawn.method not in STRANGE_METHODS and random.random() < 0.5:
            drawn = in_own_name(drawn, STRANGERS_KEY.business_id)
        asking = Asking(f"{self._name}.stranger", STRANGERS_KEY)
        await self._call(doors, self._server, drawn, self._ground.recorder.operation(), asking)

    async def _read_pages(self, doors: Doors) -> None:
        """Read page after page, at any server; now and then with a token that is not for this."""
        drawn = self._draw.first_page()
        for _ in range(PAGES_MAX):
            call = await self._operate(doors, drawn)
            token = call.response.next_page_token if call.outcome is Outcome.OK else ""
            if not token:
                return
            drawn = Drawn(drawn.method, deepcopy(drawn.request))
            drawn.request.page_token = token
            drawn.request.min_revision = self._random.choice((0, call.revision))
            if self._random.random() < 0.08:
                drawn.request.start_time.seconds += 60

    async def _use_the_id_again(self, doors: Doors, drawn: Drawn, *, is_answered: bool) -> None:
        """Ask for something else under an id that was used."""
        other = self._draw.another_body(drawn, is_answered=is_answered)
        if other is not None:
            self._change_over()
            await self._operate(doors, other, is_second=True)

    async def _operate(
        self,
        doors: Doors,
        drawn: Drawn,
        operation: int | None = None,
        *,
        asking: Asking | None = None,
        is_second: bool = False,
    ) -> Call:
        """Ask until it is known what became of a request, or it is given up."""
        operation, asking = operation or self._ground.recorder.operation(), asking or self._own
        for attempt in range(ATTEMPTS_MAX):
            call = await self._attempt(doors, drawn, operation, asking)
            if call.outcome is Outcome.OK:
                break
            if call.outcome is Outcome.REFUSED and call.reason not in RETRYABLE:
                return call
            self._change_over()
            if attempt + 1 < ATTEMPTS_MAX:
                await self._ground.pause(self._random.uniform(*PAUSE_SECONDS))
        if call.outcome is Outcome.OK and drawn.method not in LISTS:
            self._remember(call.response)
            if self._random.random() < 0.8:
                self._ground.known.ended(drawn.request)
        if drawn.method in READS or is_second or asking.key is not None:
            return call
        if call.outcome is Outcome.OK:
            self._answered = [*self._answered[1 - ANSWERED_MAX :], drawn]
            if self._random.random() < 0.08:
                # It is asked again though it was answered: the answer must be the same.
                self._change_over()
                await self._attempt(doors, drawn, operation, asking)
        if self._random.random() < 0.04:
            is_answered = call.outcome is Outcome.OK
            await self._use_the_id_again(doors, drawn, is_answered=is_answered)
        return call

    async def _attempt(self, doors: Doors, drawn: Drawn, operation: int, asking: Asking) -> Call:
        if drawn.method not in READS and self._random.random() < 0.06:
            # On two servers at once.
            calls = await asyncio.gather(
                *(
                    self._call(doors, server, drawn, operation, asking)
                    for server in self._ground.servers
                )
            )
            return min(calls, key=lambda call: list(Outcome).index(call.outcome))
        return await self._call(doors, self._server, drawn, operation, asking)

    async def _call(
        self, doors: Doors, server: str, drawn: Drawn, operation: int, asking: Asking
    ) -> Call:
        recorder, key = self._ground.recorder, asking.key
        method = getattr(_service(doors.by_server[server], drawn.method), drawn.method)
        call = recorder.begin(
            operation,
            asking.client,
            server,
            drawn.method,
            drawn.request,
            principal=key.principal if key else "",
            is_stranger=key is STRANGERS_KEY,
        )
        return await recorder.make(
            call,
            lambda: method(
                drawn.request,
                timeout=self._random.uniform(*DEADLINE_SECONDS),
                metadata=self._ground.metadata(asking.client, key),
            ),
        )

    async def _stream(self, doors: Doors) -> None:
        """Send a burst over one stream; what it did not answer is asked again by calls."""
        draw = self._draw
        makers = (draw.book, draw.book, draw.hold, draw.cancel)
        drawn = [self._random.choice(makers)() for _ in range(self._random.randint(2, 16))]
        burst = _Burst(self._ground, self._name, self._server, [each for each in drawn if each])
        await burst.send(doors.by_server[self._server], self._random.uniform(0.3, 2.0))
        for call in burst.calls:
            if call.outcome is Outcome.OK:
                self._remember(call.response)
        self._change_over()
        for call in burst.calls:
            if call.outcome is Outcome.UNKNOWN and not self._ground.is_over.is_set():
                await self._operate(doors, Drawn(call.method, call.request), call.operation)

    def _change_over(self) -> None:
        if self._random.random() < 0.6:
            self._server = self._random.choice(self._ground.servers)

    def _remember(self, response: Any) -> None:
        known = self._ground.known
        fields = response.DESCRIPTOR.fields_by_name
        if "hold" in fields:
            known.held(response.hold)
        if "ticket" in fields:
            known.given(response.ticket)
        if "bookings" in fields:
            for booking in response.bookings:
                known.told(booking)
        if "booking" in fields:
            known.told(response.booking)
        if "entry" in fields:
            known.waits(response.entry)
        for occurrence in response.report.occurrences if "report" in fields else ():
            if occurrence.HasField("booking"):
                known.told(occurrence.booking)


class _Burst:
    """Requests that are in flight together on one stream."""

    def __init__(self, ground: Ground, client: str, server: str, drawn: list[Drawn]) -> None:
        self._ground = ground
        self._client = client
        self._server = server
        self._drawn = drawn
        self.calls: list[Call] = []
        self._waiting: dict[str, Call] = {}

    async def send(self, door: Door, seconds_max: float) -> None:
        """Send all, and note the answers that come in time."""
        recorder = self._ground.recorder
        stream = door.bookings.StreamBookings(
            self._requests(), timeout=seconds_max, metadata=self._ground.metadata(self._client)
        )
        try:
            async for answer in stream:
                call = self._waiting.pop(answer.request_id)
                if answer.HasField("error"):
                    recorder.refused_on_stream(call, answer.error)
                else:
                    recorder.answered(call, getattr(answer, STREAMED_PARTS[call.method]))
        except grpc.aio.AioRpcError as failure:
            for call in self._waiting.values():
                is_fault = reason_of(error_of_call(failure)) == INTERNAL_FAULT
                call.reason = INTERNAL_FAULT if is_fault else failure.code().name
                call.ended = recorder.now
        except asyncio.CancelledError:
            # So gRPC says too that a request could not be written.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            for call in self._waiting.values():
                call.reason, call.ended = CHANNEL_CLOSED, recorder.now
        finally:
            stream.cancel()

    async def _requests(self) -> AsyncIterator[booking_pb.StreamBookingsRequest]:
        recorder = self._ground.recorder
        for method, request in self._drawn:
            call = recorder.begin(recorder.operation(), self._client, self._server, method, request)
            call.is_streamed = True
            self.calls.append(call)
            self._waiting[request.request_id] = call
            yield booking_pb.StreamBookingsRequest(**{STREAMED_PARTS[method]: request})


def _service(door: Door, method: str) -> Any:
    return door.availability if method in AVAILABILITY else door.bookings
