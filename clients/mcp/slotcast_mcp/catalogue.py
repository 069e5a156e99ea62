"""What a business offers, by the names that people know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from slotcast import AppointmentType, Calendar, Client, Page
from slotcast_mcp.ids import Time, last_part
from slotcast_mcp.quoting import listed, quoted
from slotcast_mcp.refusals import Refused

PAGE_SIZE = 500
PAGES_MAX = 4
"""What lies beyond them is not found."""
NAMED_MAX = 8


class Named(Protocol):
    """What has an id and a name."""

    @property
    def name(self) -> str:
        """Its resource name."""

    @property
    def display_name(self) -> str:
        """As people know it."""


Item = TypeVar("Item", bound=Named)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The services of a business, and the people, rooms and equipment, by their ids."""

    services: Mapping[str, AppointmentType]
    people: Mapping[str, Calendar]

    def service(self, named: str) -> AppointmentType:
        """Find a service by its id or its name."""
        return _find(self.services, named, "service")

    def person(self, named: str, service: AppointmentType) -> str:
        """Find the id of someone who gives a service, by their id or name; none named: none."""
        if not named:
            return ""
        own = {each: self.people[each] for each in people_of(service) if each in self.people}
        return last_part(_find(own, named, "person").name)

    def service_name(self, service_id: str) -> str:
        """Return the name of a service."""
        service = self.services.get(service_id)
        return service.display_name if service else service_id

    def person_name(self, person_id: str) -> str:
        """Return the name of someone; empty where nobody is named."""
        person = self.people.get(person_id)
        return person.display_name if person else person_id

    def price(self, service_id: str) -> str:
        """Return what a service costs, as it is shown; empty where nothing is said."""
        service = self.services.get(service_id)
        return service.price if service else ""

    def known(self, time: Time, field: str) -> Time:
        """Return a time whose service and person there are."""
        if time.service not in self.services or (time.person and time.person not in self.people):
            raise Refused(
                "RESOURCE_NOT_FOUND",
                "That service, or that person, is not offered any more.",
                "Call list_services, then find_times.",
                field=field,
            )
        return time


async def load(client: Client) -> Catalogue:
    """Read what a business offers."""
    services, people = await asyncio.gather(
        _all(client.list_appointment_types), _all(client.list_calendars)
    )
    return Catalogue(
        {last_part(each.name): each for each in services},
        {last_part(each.name): each for each in people},
    )


def people_of(service: AppointmentType) -> tuple[str, ...]:
    """Return the ids of those with whom a service can be booked."""
    return tuple(last_part(name) for name in service.any_of or service.all_of[:1])


def minutes_of(service: AppointmentType) -> list[int]:
    """Return how long a service may last."""
    return [length // timedelta(minutes=1) for length in service.durations]


def chosen_minutes(service: AppointmentType, wished: int | None) -> int:
    """Return how long a service is to last: as wished, if it can."""
    possible = minutes_of(service)
    if wished is None:
        return possible[0]
    if wished not in possible:
        lengths = listed([str(each) for each in possible])
        raise Refused(
            "INVALID_REQUEST",
            f"It lasts {lengths} minutes, not {wished}.",
            "Ask the person for one of these lengths, or leave `minutes` out.",
            field="minutes",
        )
    return wished


async def _all(lister: Callable[..., Awaitable[Page[Item]]]) -> list[Item]:
    items: list[Item] = []
    token = ""
    for _ in range(PAGES_MAX):
        page = await lister(page_size=PAGE_SIZE, page_token=token)
        items.extend(page)
        token = page.next_page_token
        if not token:
            break
    return items


def _find(items: Mapping[str, Item], named: str, field: str) -> Item:
    wanted = " ".join(named.split())
    if wanted in items:
        return items[wanted]
    found = [item for item in items.values() if item.display_name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    raise Refused(
        "RESOURCE_NOT_FOUND",
        f"There is no {field} {quoted(named)}. There is: {_names(items)}.",
        "Call list_services, and use an id that it tells. Do not choose for the person.",
        field=field,
    )


def _names(items: Mapping[str, Named]) -> str:
    named: Iterable[str] = (
        f"{item_id} ({item.display_name})" for item_id, item in list(items.items())[:NAMED_MAX]
    )
    return ", ".join(named)
