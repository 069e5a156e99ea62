"""ReceiveReply: a mail in which a calendar program declines an invitation cancels the booking."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from service.actions.lanes import Lanes
from service.actions.submission import Submission
from service.domain.booking import Booking, BookingEvent
from service.domain.commands import ChangeStatus, Outcome
from service.domain.errors import (
    CancellationNoticePassed,
    InvalidTransition,
    Overloaded,
    RequestIdReused,
    TryAgain,
    VersionMismatch,
)
from service.notify.replies import Mail, Verdict, booking_of, judge, read_mail
from service.ops.tasks import shared
from service.rpc.call import Behaviour, Call
from service.rpc.convert.bookings import write_booking
from service.store import batch, bookings
from service.store import catalog as catalog_store
from service.store.database import Database
from slotcast.v1 import notification_service_pb2 as notification_pb

READS_MAX = 2
WAITING_MAX = 32
"""How many mails are read or wait for it, each in memory; beyond it, Overloaded."""
ATTEMPTS_MAX = 3
CANCEL_REASON = "Declined by e-mail."

DETAILS: Mapping[Verdict, str] = {
    Verdict.NO_REPLY: "There is no answer to an invitation in it.",
    Verdict.UNKNOWN_BOOKING: "It is about no booking of this business.",
    Verdict.NOT_THE_CUSTOMER: "It does not say what the customer answers.",
    Verdict.NOT_DECLINED: "The customer has not declined.",
    Verdict.OUTDATED: "The booking has been changed since the invitation that it answers.",
    Verdict.ENDED: "The booking can no longer be cancelled.",
    Verdict.NOT_ALLOWED: "The appointment type cannot be cancelled by a reply.",
    Verdict.NOTICE_PASSED: "The appointment is too near to be cancelled.",
}


class Replies:
    """Reads mails and submits what they ask for."""

    def __init__(self, *, lanes: Lanes, database: Database) -> None:
        """Take what cancels, and what knows the bookings."""
        self._lanes = lanes
        self._database = database
        self._reader = _MailReader()

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers the method."""
        return {"ReceiveReply": self.receive_reply}

    async def receive_reply(
        self, request: notification_pb.ReceiveReplyRequest, call: Call
    ) -> notification_pb.ReceiveReplyResponse | bytes:
        """Answer ReceiveReply."""
        mail = await self._reader.read(request.mail)
        booking_id = booking_of(mail.reply, call.business_id) if mail.reply else None
        if booking_id is None:
            return _nothing(Verdict.UNKNOWN_BOOKING if mail.reply else Verdict.NO_REPLY)
        for _ in range(ATTEMPTS_MAX):
            try:
                return await self._answer(mail, booking_id, call)
            except VersionMismatch:
                # It was changed meanwhile: what the mail says of it is judged anew.
                continue
        raise TryAgain

    async def _answer(
        self, mail: Mail, booking_id: UUID, call: Call
    ) -> notification_pb.ReceiveReplyResponse | bytes:
        business_id = call.business_id
        key = (call.principal.principal_id, _request_id(mail))
        async with self._database.snapshot(business_id) as tx:
            answered = await batch.read_answered(tx, business_id, [key])
            booking = await bookings.get(tx, business_id, booking_id)
            catalog = await catalog_store.load(tx, business_id)
        if key in answered:
            return _repeated(answered[key], mail)
        type_ = catalog.types.get(booking.type_id) if catalog and booking else None
        assert mail.reply is not None
        verdict = judge(mail.reply, booking, type_)
        if verdict is not Verdict.CANCELS or booking is None:
            return _nothing(verdict, booking, business_id)
        try:
            return await self._lanes.submit(_cancellation(business_id, key, mail, booking))
        except InvalidTransition:
            return _nothing(Verdict.ENDED, booking, business_id)
        except CancellationNoticePassed:
            return _nothing(Verdict.NOTICE_PASSED, booking, business_id)


class _MailReader:
    """Reads mails beside the event loop, a few at a time."""

    def __init__(self) -> None:
        self._reads = asyncio.Semaphore(READS_MAX)
        self._waiting = 0

    async def read(self, data: bytes) -> Mail:
        """Return what a mail says; a thread cannot be stopped, and counts until it has ended."""
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            await self._reads.acquire()
        except asyncio.CancelledError:
            self._waiting -= 1
            raise
        return await shared(self._begin(data))

    def _begin(self, data: bytes) -> asyncio.Future[Mail]:
        reading = asyncio.get_running_loop().run_in_executor(None, read_mail, data)
        reading.add_done_callback(self._end)
        return reading

    def _end(self, _: asyncio.Future[Mail]) -> None:
        self._waiting -= 1
        self._reads.release()


def _request_id(mail: Mail) -> str:
    """Return what a repetition is known by; no client can choose an id with a slash."""
    return f"reply/{mail.key[:48]}"


def _hash(mail: Mail) -> bytes:
    return hashlib.sha256(b"ReceiveReply\n" + mail.key.encode()).digest()


def _repeated(answered: batch.Answered, mail: Mail) -> bytes:
    if answered.body_hash != _hash(mail):
        raise RequestIdReused
    return answered.response


def _cancellation(
    business_id: str, key: tuple[str, str], mail: Mail, booking: Booking
) -> Submission:
    principal_id, request_id = key
    return Submission(
        business_id=business_id,
        principal_id=principal_id,
        request_id=request_id,
        body_hash=_hash(mail),
        command=ChangeStatus(
            booking_id=booking.booking_id,
            version=booking.version,
            event=BookingEvent.CANCEL,
            cancel_reason=CANCEL_REASON,
        ),
        encode=partial(_encode, business_id),
    )


def _encode(business_id: str, outcome: Outcome) -> bytes:
    (booking,) = outcome.bookings
    return notification_pb.ReceiveReplyResponse(
        action=notification_pb.ReceiveReplyResponse.ACTION_CANCELLED,
        booking=write_booking(booking, business_id, personal=False),
    ).SerializeToString()


def _nothing(
    verdict: Verdict, booking: Booking | None = None, business_id: str = ""
) -> notification_pb.ReceiveReplyResponse:
    response = notification_pb.ReceiveReplyResponse(
        action=notification_pb.ReceiveReplyResponse.ACTION_NONE, detail=DETAILS[verdict]
    )
    if booking is not None:
        response.booking.CopyFrom(write_booking(booking, business_id, personal=False))
    return response
