"""Sends letters: facts, words, limit, mail server."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.domain.capability import capability_key
from service.domain.delivery import Delivery, DeliveryState
from service.notify.delivery import Busy, GiveUp, Sent, Skipped
from service.notify.letters.composing import BadLetter, Mail, compose
from service.notify.letters.facts import ENDINGS, Envelope, Letter, Mailbox, Recipient
from service.notify.letters.loading import Links, load, overtaken_by
from service.notify.letters.order import Order, order_of
from service.notify.letters.planning import Addressee
from service.notify.letters.smtp import Postbox
from service.store import deliveries as delivery_store
from service.store import letters as letter_store
from service.store.database import Database, Transaction

PER_RECIPIENT_WITHIN = timedelta(days=1)
LOOK_AGAIN_SECONDS = 15.0
"""After which it is asked again whether the letter that others wait for is out."""
_RECIPIENT_PURPOSE = b"letter recipient 1\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterSettings:
    """From whom letters come, where their links lead, and how many one address may get a day.

    `secret` is that of all tokens.
    """

    sender: str
    public_url: str | None
    secret: bytes
    per_recipient_per_day_max: int = 50

    @property
    def domain(self) -> str:
        """That of the sender's address."""
        return self.sender.rpartition("@")[2]


class LetterSender:
    """The channel `letter`."""

    def __init__(self, database: Database, postbox: Postbox, settings: LetterSettings) -> None:
        """Take what it reads from, what it hands letters to, and how."""
        self._database = database
        self._postbox = postbox
        self._settings = settings
        self._links = Links(public_url=settings.public_url, key=capability_key(settings.secret))

    async def send(self, delivery: Delivery) -> Sent | Skipped:
        """Send a letter as of its change, or say why it need not go out."""
        order = order_of(delivery.body)
        if order.within is not None:
            return await self._look_at(delivery, order.within)
        async with self._database.snapshot(delivery.business_id) as tx:
            now = await letter_store.now(tx)
            letter = await load(tx, delivery, order, links=self._links, now=now)
            if isinstance(letter, Skipped):
                return letter
            envelope = await self._envelope(tx, delivery, order, now)
        mail = _composed(letter, envelope)
        if not await self._may_send(letter, delivery, order):
            most = self._settings.per_recipient_per_day_max
            return Skipped(f"this address has had {most} letters within a day")
        await self._postbox.post(mail)
        return Sent(mail.message_id)

    async def _look_at(self, delivery: Delivery, within: UUID) -> Skipped:
        """Wait for the letter that tells of this appointment too."""
        async with self._database.snapshot(delivery.business_id) as tx:
            letter = await delivery_store.get(tx, delivery.business_id, within)
            later = await _later(tx, delivery)
        if letter is not None and letter.state is DeliveryState.WAITING:
            raise Busy(LOOK_AGAIN_SECONDS)
        if later is not None and later.is_sent:
            return overtaken_by(later.version)
        return Skipped(f"told in the letter {self._message_id(delivery.business_id, within)}")

    async def _envelope(
        self, tx: Transaction, delivery: Delivery, order: Order, now: datetime
    ) -> Envelope:
        first = None
        if delivery.booking_id is not None:
            lane = Addressee(order.calendar_id).lane(delivery.booking_id)
            first = await letter_store.first_in_lane(
                tx, delivery.business_id, delivery.booking_id, lane
            )
        return Envelope(
            sender=Mailbox(address=self._settings.sender),
            message_id=self._message_id(delivery.business_id, delivery.delivery_id),
            date=now,
            planned_at=delivery.created_at,
            first_message_id=self._message_id(delivery.business_id, first) if first else "",
        )

    def _message_id(self, business_id: str, delivery_id: UUID) -> str:
        return f"<{delivery_id}.{business_id}@{self._settings.domain}>"

    async def _may_send(self, letter: Letter, delivery: Delivery, order: Order) -> bool:
        """Count a customer's letter to its address, which is stored as a keyed hash only.

        The limit is there so that nobody has us write to strangers: staff are none, and who was
        told of an appointment is told that it has ended.
        """
        if order.recipient is Recipient.STAFF:
            return True
        address = letter.to.address.lower().encode()
        recipient = hmac.digest(self._settings.secret, _RECIPIENT_PURPOSE + address, "sha256")
        async with self._database.transaction(delivery.business_id) as tx:
            if letter.kind in ENDINGS and await letter_store.was_told(tx, delivery):
                return True
            return await letter_store.take_turn(
                tx,
                delivery,
                recipient,
                most=self._settings.per_recipient_per_day_max,
                within=PER_RECIPIENT_WITHIN,
            )


async def _later(tx: Transaction, delivery: Delivery) -> letter_store.Later | None:
    """Return a letter of its lane that came before its turn."""
    booking_id = delivery.booking_id
    assert booking_id is not None
    return (await letter_store.later(tx, delivery, [booking_id], [delivery.target])).get(booking_id)


def _composed(letter: Letter, envelope: Envelope) -> Mail:
    try:
        return compose(letter, envelope)
    except BadLetter as error:
        raise GiveUp(str(error)) from None
