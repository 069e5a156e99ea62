"""What a client can ask NotificationService about letters and calls of webhooks."""

from __future__ import annotations

from slotcast.channel import Connected
from slotcast.deliveries import Delivery, DeliveryQuery, delivery, list_request
from slotcast.models import Page
from slotcast.v1 import notification_service_pb2 as pb


class DeliveryMethods(Connected):
    """What was sent, what waits, and what was given up."""

    async def list_deliveries(
        self, query: DeliveryQuery | None = None, *, page_size: int = 0, page_token: str = ""
    ) -> Page[Delivery]:
        """List deliveries, the newest first; 100 a page, or up to 500."""
        link = self._connection
        request = list_request(link.names, query or DeliveryQuery(), page_size, page_token)
        response = await link.calls.unary(link.notifications.ListDeliveries, request)
        return Page(
            items=tuple(delivery(item) for item in response.deliveries),
            next_page_token=response.next_page_token,
        )

    async def retry_delivery(self, name: Delivery | str) -> Delivery:
        """Send one that was given up again. InvalidTransition: it was not given up."""
        link = self._connection
        full = name.name if isinstance(name, Delivery) else link.names.delivery(name)
        request = pb.RetryDeliveryRequest(name=full)
        response = await link.calls.unary(link.notifications.RetryDelivery, request)
        return delivery(response.delivery)
