"""Deliveries as several commands need them: asked for page by page, and their state in colour."""

from __future__ import annotations

from rich.text import Text

from service.cli.printing import styled
from slotcast import Client, Delivery, DeliveryQuery, DeliveryState

PAGE_SIZE_MAX = 500
COLOURS = {
    DeliveryState.WAITING: "yellow",
    DeliveryState.SENT: "green",
    DeliveryState.SKIPPED: "dim",
    DeliveryState.DEAD: "red",
}


async def collect(client: Client, query: DeliveryQuery, limit: int) -> list[Delivery]:
    """Return so many deliveries, the newest first."""
    found: list[Delivery] = []
    page_token = ""
    while len(found) < limit:
        page = await client.list_deliveries(
            query, page_size=min(limit - len(found), PAGE_SIZE_MAX), page_token=page_token
        )
        found += page.items
        page_token = page.next_page_token
        if not page_token:
            break
    return found


def state_of(delivery: Delivery) -> Text:
    """Return its state in colour, and how often it was tried, if more than once."""
    return styled(
        (delivery.state.lower(), COLOURS.get(delivery.state, "default")),
        f" ({delivery.attempts} attempts)" if delivery.attempts > 1 else "",
    )
