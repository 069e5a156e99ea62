"""NotificationService: what was sent, what waits, what was given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from service.domain.delivery import Channel, Delivery, DeliveryState
from service.domain.errors import InvalidTransition, ResourceNotFound
from service.domain.ids import booking_name, delivery_name
from service.live.tokens import Tokens
from service.notify.delivery import Consumer
from service.notify.unplanned import is_unplanned, plan_again
from service.rpc.call import Behaviour, Call
from service.rpc.convert.names import child_uuid
from service.rpc.convert.times import write_instant
from service.rpc.reading import query_hash, read_at_least
from service.store import deliveries
from service.store.database import Database
from slotcast.v1 import notification_service_pb2 as notification_pb

PAGE_SIZE_DEFAULT = 100
_CHANNELS = {
    Channel.LETTER: notification_pb.Delivery.CHANNEL_LETTER,
    Channel.WEBHOOK: notification_pb.Delivery.CHANNEL_WEBHOOK,
}
_STATES = {
    DeliveryState.WAITING: notification_pb.Delivery.STATE_WAITING,
    DeliveryState.SENT: notification_pb.Delivery.STATE_SENT,
    DeliveryState.SKIPPED: notification_pb.Delivery.STATE_SKIPPED,
    DeliveryState.DEAD: notification_pb.Delivery.STATE_DEAD,
}
_CHANNELS_READ = {number: channel for channel, number in _CHANNELS.items()}
_STATES_READ = {number: state for state, number in _STATES.items()}


class DeliveryMethods:
    """Lists deliveries, and has those that were given up sent again."""

    def __init__(
        self, *, database: Database, tokens: Tokens, consumers: Sequence[Consumer]
    ) -> None:
        """Take where they are, what signs page tokens, and who plans."""
        self._database = database
        self._tokens = tokens
        self._consumers = consumers

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {"ListDeliveries": self.list_deliveries, "RetryDelivery": self.retry_delivery}

    async def list_deliveries(
        self, request: notification_pb.ListDeliveriesRequest, call: Call
    ) -> notification_pb.ListDeliveriesResponse:
        """Answer ListDeliveries."""
        query = query_hash("ListDeliveries", request)
        before = self._tokens.read_page(request.page_token, query) if request.page_token else None
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        booking = request.booking
        wanted = deliveries.Wanted(
            booking_id=child_uuid(booking, call.business_id) if booking else None,
            channel=_CHANNELS_READ.get(request.channel),
            states=frozenset(_STATES_READ[state] for state in request.states),
        )
        async with read_at_least(self._database, call.business_id, 0, request.parent) as reading:
            found = await deliveries.list_page(
                reading.tx,
                call.business_id,
                wanted,
                before=(datetime.fromisoformat(before[0]), UUID(before[1])) if before else None,
                limit=page_size + 1,
            )
        page = found[:page_size]
        return notification_pb.ListDeliveriesResponse(
            deliveries=[_write(delivery) for delivery in page],
            next_page_token=self._after(query, page[-1]) if len(found) > page_size else "",
        )

    async def retry_delivery(
        self, request: notification_pb.RetryDeliveryRequest, call: Call
    ) -> notification_pb.RetryDeliveryResponse:
        """Answer RetryDelivery. What could not be planned is planned at once."""
        delivery_id = child_uuid(request.name, call.business_id)
        async with self._database.transaction(call.business_id) as tx:
            there = await deliveries.lock(tx, call.business_id, delivery_id)
            if there is None:
                raise ResourceNotFound(request.name)
            if is_unplanned(there) and there.state is DeliveryState.DEAD:
                delivery: Delivery | None = await plan_again(tx, there, self._consumers)
            else:
                delivery = await deliveries.retry(tx, call.business_id, delivery_id)
            if delivery is None:
                raise InvalidTransition("It was not given up.", status=there.state.value.upper())
        return notification_pb.RetryDeliveryResponse(delivery=_write(delivery))

    def _after(self, query: str, last: Delivery) -> str:
        return self._tokens.page(query, [last.created_at.isoformat(), str(last.delivery_id)])


def _write(delivery: Delivery) -> notification_pb.Delivery:
    business_id, booking_id, ended_at = delivery.business_id, delivery.booking_id, delivery.ended_at
    return notification_pb.Delivery(
        name=delivery_name(business_id, delivery.delivery_id),
        channel=_CHANNELS[delivery.channel],
        kind=delivery.kind,
        target=delivery.target,
        booking="" if booking_id is None else booking_name(business_id, booking_id),
        revision=delivery.revision,
        state=_STATES[delivery.state],
        attempts=delivery.attempts,
        due_time=write_instant(delivery.due_at),
        create_time=write_instant(delivery.created_at),
        end_time=None if ended_at is None else write_instant(ended_at),
        detail=delivery.detail,
    )
