"""What a client can ask CatalogService about opening hours and closures."""

from __future__ import annotations

from slotcast import convert_catalog as convert
from slotcast.calls import new_request_id
from slotcast.catalog import Closure, Schedule
from slotcast.channel import Connected
from slotcast.models import Page
from slotcast.names import last_part
from slotcast.v1 import catalog_service_pb2 as pb


class HoursMethods(Connected):
    """When it can be booked. A short id in a `name` stands for one of the client's own business."""

    async def create_schedule(
        self, schedule: Schedule, *, request_id: str | None = None
    ) -> Schedule:
        """Add opening hours. ResourceExists: the id is in use."""
        link = self._connection
        request = pb.CreateScheduleRequest(
            parent=link.names.business_holding(schedule.name),
            schedule_id=last_part(schedule.name),
            schedule=convert.schedule_message(schedule, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.CreateSchedule, request)
        return convert.schedule(response.schedule, response.revision)

    async def get_schedule(self, name: str, *, min_revision: int = 0) -> Schedule:
        """Read a schedule. ResourceNotFound: there is none, or the key may not see it."""
        link = self._connection
        request = pb.GetScheduleRequest(name=link.names.schedule(name), min_revision=min_revision)
        response = await link.calls.unary(link.catalog.GetSchedule, request)
        return convert.schedule(response.schedule, response.revision)

    async def list_schedules(self, *, page_size: int = 0, page_token: str = "") -> Page[Schedule]:
        """List them by name, 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListSchedulesRequest(
            parent=link.names.business(), page_size=page_size, page_token=page_token
        )
        response = await link.calls.unary(link.catalog.ListSchedules, request)
        return Page(
            items=tuple(convert.schedule(item) for item in response.schedules),
            next_page_token=response.next_page_token,
        )

    async def update_schedule(
        self, schedule: Schedule, *, request_id: str | None = None
    ) -> Schedule:
        """Replace a schedule whole. Bookings that stand are not moved."""
        link = self._connection
        request = pb.UpdateScheduleRequest(
            schedule=convert.schedule_message(schedule, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.UpdateSchedule, request)
        return convert.schedule(response.schedule, response.revision)

    async def delete_schedule(self, name: str, *, request_id: str | None = None) -> int:
        """Remove a schedule; returns the revision. ResourceInUse: a calendar follows it."""
        link = self._connection
        request = pb.DeleteScheduleRequest(
            name=link.names.schedule(name), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.catalog.DeleteSchedule, request)).revision

    async def create_closure(self, closure: Closure, *, request_id: str | None = None) -> Closure:
        """Add a time in which calendars are closed. ResourceExists: the id is in use."""
        link = self._connection
        request = pb.CreateClosureRequest(
            parent=link.names.business_holding(closure.name),
            closure_id=last_part(closure.name),
            closure=convert.closure_message(closure, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.CreateClosure, request)
        return convert.closure(response.closure, response.revision)

    async def get_closure(self, name: str, *, min_revision: int = 0) -> Closure:
        """Read a closure. ResourceNotFound: there is none, or the key may not see it."""
        link = self._connection
        request = pb.GetClosureRequest(name=link.names.closure(name), min_revision=min_revision)
        response = await link.calls.unary(link.catalog.GetClosure, request)
        return convert.closure(response.closure, response.revision)

    async def list_closures(self, *, page_size: int = 0, page_token: str = "") -> Page[Closure]:
        """List them by name, 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListClosuresRequest(
            parent=link.names.business(), page_size=page_size, page_token=page_token
        )
        response = await link.calls.unary(link.catalog.ListClosures, request)
        return Page(
            items=tuple(convert.closure(item) for item in response.closures),
            next_page_token=response.next_page_token,
        )

    async def update_closure(self, closure: Closure, *, request_id: str | None = None) -> Closure:
        """Replace a closure whole. Bookings that stand are not moved."""
        link = self._connection
        request = pb.UpdateClosureRequest(
            closure=convert.closure_message(closure, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.UpdateClosure, request)
        return convert.closure(response.closure, response.revision)

    async def delete_closure(self, name: str, *, request_id: str | None = None) -> int:
        """Remove a closure; returns the revision. Its time opens again."""
        link = self._connection
        request = pb.DeleteClosureRequest(
            name=link.names.closure(name), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.catalog.DeleteClosure, request)).revision
