"""One call of a webhook: what is sent, and what its answer means.

Any 2xx within 10 s is success; what else the answer says is not looked at. 410 ends the webhook.
All else, a redirect too, is tried again.
"""

from __future__ import annotations

import json
from uuid import UUID

from service.domain import ids
from service.domain.delivery import Delivery
from service.domain.webhook import WebhookState
from service.notify.delivery import Busy, GiveUp, Sent, Skipped, TryLater
from service.notify.webhooks.backlog import Backlog
from service.notify.webhooks.events import (
    Json,
    customer_json,
    instant_json,
    personal_json,
    wish_json,
)
from service.notify.webhooks.in_flight import InFlight
from service.notify.webhooks.signing import signature_headers
from service.ops.outbound import Outbound, OutboundError, OutboundRefused, Response, asking_for
from service.store import bookings, waitlist, webhooks
from service.store.database import Database, Transaction
from service.store.webhooks import Signing

CALL_SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 16 * 1024
"""More of an answer is not read; less, and its connection can be used again."""
GONE = 410


class WebhookSender:
    """Sends the deliveries of the channel `webhook`.

    Many businesses may have theirs on one host, so `outbound` must not count connections to it:
    calls are counted by webhook.
    """

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        *,
        call_seconds_max: float = CALL_SECONDS_MAX,
    ) -> None:
        """Take what it sends by."""
        self._database = database
        self._outbound = outbound
        self._call_seconds_max = call_seconds_max
        self._in_flight = InFlight()
        self._backlog = Backlog(database)

    async def send(self, delivery: Delivery) -> Sent | Skipped:
        """Call the webhook of a delivery, and note how it fares."""
        webhook_id = UUID(delivery.target)
        async with self._database.snapshot(delivery.business_id) as tx:
            signing = await webhooks.for_signing(tx, delivery.business_id, webhook_id)
            if signing is None:
                return Skipped("The webhook was deleted.")
            if signing.webhook.state is WebhookState.ENDED:
                return Skipped("The webhook has ended.")
            body = await _body(tx, delivery, with_customer=signing.webhook.include_customer)
        if body is None:
            return Skipped("What it tells of is no more.")
        is_failing = signing.webhook.state is WebhookState.FAILING
        try:
            async with self._in_flight.place(webhook_id, is_failing=is_failing):
                return await self._call(delivery, signing, body)
        except Busy:
            seconds = await self._backlog.busy_seconds(
                delivery.business_id, webhook_id, is_failing=is_failing
            )
            raise Busy(seconds) from None

    async def _call(self, delivery: Delivery, signing: Signing, body: bytes) -> Sent:
        try:
            answer = await self._post(delivery, signing, body)
        except OutboundError as error:
            await self._note_failure(delivery, error.reason)
            raise TryLater(error.reason) from error
        status = str(answer.status)
        if 200 <= answer.status < 300:
            async with self._database.transaction(delivery.business_id) as tx:
                await webhooks.note_success(
                    tx, delivery.business_id, signing.webhook.webhook_id, status
                )
            return Sent(status)
        await self._note_failure(delivery, status, ends=answer.status == GONE)
        if answer.status == GONE:
            raise GiveUp("410: the webhook has ended.")
        raise TryLater(status, _retry_after(answer.headers.get("retry-after")))

    async def _post(self, delivery: Delivery, signing: Signing, body: bytes) -> Response:
        url = signing.webhook.url
        if not (self._outbound.allows_private or url.startswith("https://")):
            raise OutboundRefused("The URL does not begin with https://.")
        event_id = str(delivery.delivery_id)
        with asking_for(delivery.business_id):
            return await self._outbound.post(
                url,
                body=body,
                headers={
                    "content-type": "application/json",
                    **signature_headers(signing.secrets, event_id, signing.now, body),
                },
                bytes_max=ANSWER_BYTES_MAX,
                seconds_max=self._call_seconds_max,
            )

    async def _note_failure(self, delivery: Delivery, outcome: str, *, ends: bool = False) -> None:
        async with self._database.transaction(delivery.business_id) as tx:
            await webhooks.note_failure(
                tx, delivery.business_id, UUID(delivery.target), outcome, ends=ends
            )


async def _body(tx: Transaction, delivery: Delivery, *, with_customer: bool) -> bytes | None:
    """Return what is sent: what was planned, and what is joined in; None: that is no more."""
    event: Json = {"id": str(delivery.delivery_id), **delivery.body}
    if delivery.booking_id is None:
        await _join_entry(tx, delivery.business_id, event, with_customer=with_customer)
    else:
        booking = await bookings.get(tx, delivery.business_id, delivery.booking_id)
        if booking is None:
            return None
        event["booking"] = {
            **event["booking"],
            "createTime": instant_json(booking.created_at),
            **({"series": str(booking.series_id)} if booking.series_id else {}),
            **(personal_json(booking) if with_customer else {}),
        }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


async def _join_entry(
    tx: Transaction, business_id: str, event: Json, *, with_customer: bool
) -> None:
    """Say who waits for what; of an entry that was swept away, no more than what was planned."""
    planned: Json = event["waitlistEntry"]
    entry_id = UUID(ids.last_part(planned["name"]))
    for entry in await waitlist.by_ids(tx, business_id, [entry_id]):
        event["waitlistEntry"] = told = {**planned, **wish_json(business_id, entry)}
        if "offer" in planned:
            told["offer"] = {**planned["offer"], "holder": entry.holder}
        if with_customer and (customer := customer_json(entry.customer)):
            told["customer"] = customer


def _retry_after(header: str | None) -> float | None:
    """Return how long the receiver asks to be left alone; a date in it is not looked at."""
    if header is None or not header.isascii() or not header.isdecimal():
        return None
    # How much of it counts is bounded with all other delays (domain/delivery.py).
    return float(header[:10])
