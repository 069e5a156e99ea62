"""What a client can ask CatalogService about businesses, calendars and appointment types."""

from __future__ import annotations

from slotcast import convert_catalog as convert
from slotcast.calls import new_request_id
from slotcast.catalog import AppointmentType, Business, Calendar
from slotcast.channel import Connected
from slotcast.models import Page
from slotcast.names import last_part
from slotcast.v1 import catalog_service_pb2 as pb


class CatalogMethods(Connected):
    """What can be booked. A short id in a `name` stands for one of the client's own business."""

    async def create_business(
        self, business: Business, *, request_id: str | None = None
    ) -> Business:
        """Add a tenant. ResourceExists: the id is in use. Needs an operator's key."""
        link = self._connection
        request = pb.CreateBusinessRequest(
            business_id=last_part(business.name),
            business=convert.business_message(business, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.CreateBusiness, request)
        return convert.business(response.business, response.revision)

    async def get_business(self, name: str, *, min_revision: int = 0) -> Business:
        """Read a business. ResourceNotFound: there is none, or the key may not see it."""
        link = self._connection
        request = pb.GetBusinessRequest(name=link.names.business(name), min_revision=min_revision)
        response = await link.calls.unary(link.catalog.GetBusiness, request)
        return convert.business(response.business, response.revision)

    async def list_businesses(self, *, page_size: int = 0, page_token: str = "") -> Page[Business]:
        """List businesses by name; a key of one business sees that one only."""
        link = self._connection
        request = pb.ListBusinessesRequest(page_size=page_size, page_token=page_token)
        response = await link.calls.unary(link.catalog.ListBusinesses, request)
        return Page(
            items=tuple(convert.business(item) for item in response.businesses),
            next_page_token=response.next_page_token,
        )

    async def update_business(
        self, business: Business, *, request_id: str | None = None
    ) -> Business:
        """Replace a business whole. Bookings that stand are not moved."""
        link = self._connection
        request = pb.UpdateBusinessRequest(
            business=convert.business_message(business, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.UpdateBusiness, request)
        return convert.business(response.business, response.revision)

    async def delete_business(self, name: str, *, request_id: str | None = None) -> int:
        """Remove a business and all that belongs to it; returns the revision."""
        link = self._connection
        request = pb.DeleteBusinessRequest(
            name=link.names.business(name), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.catalog.DeleteBusiness, request)).revision

    async def create_calendar(
        self, calendar: Calendar, *, request_id: str | None = None
    ) -> Calendar:
        """Add a bookable person, room or piece of equipment. ResourceExists: the id is in use."""
        link = self._connection
        request = pb.CreateCalendarRequest(
            parent=link.names.business_holding(calendar.name),
            calendar_id=last_part(calendar.name),
            calendar=convert.calendar_message(calendar, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.CreateCalendar, request)
        return convert.calendar(response.calendar, response.revision)

    async def get_calendar(self, name: str, *, min_revision: int = 0) -> Calendar:
        """Read a calendar. ResourceNotFound: there is none, or the key may not see it."""
        link = self._connection
        request = pb.GetCalendarRequest(name=link.names.calendar(name), min_revision=min_revision)
        response = await link.calls.unary(link.catalog.GetCalendar, request)
        return convert.calendar(response.calendar, response.revision)

    async def list_calendars(self, *, page_size: int = 0, page_token: str = "") -> Page[Calendar]:
        """List them by name, 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListCalendarsRequest(
            parent=link.names.business(), page_size=page_size, page_token=page_token
        )
        response = await link.calls.unary(link.catalog.ListCalendars, request)
        return Page(
            items=tuple(convert.calendar(item) for item in response.calendars),
            next_page_token=response.next_page_token,
        )

    async def update_calendar(
        self, calendar: Calendar, *, request_id: str | None = None
    ) -> Calendar:
        """Replace a calendar whole. Bookings that stand are not moved."""
        link = self._connection
        request = pb.UpdateCalendarRequest(
            calendar=convert.calendar_message(calendar, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.UpdateCalendar, request)
        return convert.calendar(response.calendar, response.revision)

    async def delete_calendar(self, name: str, *, request_id: str | None = None) -> int:
        """Remove a calendar; returns the revision.

        ResourceInUse: a type names it, or it has bookings to come.
        """
        link = self._connection
        request = pb.DeleteCalendarRequest(
            name=link.names.calendar(name), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.catalog.DeleteCalendar, request)).revision

    async def create_appointment_type(
        self, appointment_type: AppointmentType, *, request_id: str | None = None
    ) -> AppointmentType:
        """Add something that can be booked. ResourceExists: the id is in use."""
        link = self._connection
        request = pb.CreateAppointmentTypeRequest(
            parent=link.names.business_holding(appointment_type.name),
            appointment_type_id=last_part(appointment_type.name),
            appointment_type=convert.appointment_type_message(appointment_type, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.CreateAppointmentType, request)
        return convert.appointment_type(response.appointment_type, response.revision)

    async def get_appointment_type(self, name: str, *, min_revision: int = 0) -> AppointmentType:
        """Read an appointment type. ResourceNotFound: there is none, or the key may not see it."""
        link = self._connection
        request = pb.GetAppointmentTypeRequest(
            name=link.names.appointment_type(name), min_revision=min_revision
        )
        response = await link.calls.unary(link.catalog.GetAppointmentType, request)
        return convert.appointment_type(response.appointment_type, response.revision)

    async def list_appointment_types(
        self, *, page_size: int = 0, page_token: str = ""
    ) -> Page[AppointmentType]:
        """List them by name, 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListAppointmentTypesRequest(
            parent=link.names.business(), page_size=page_size, page_token=page_token
        )
        response = await link.calls.unary(link.catalog.ListAppointmentTypes, request)
        return Page(
            items=tuple(convert.appointment_type(item) for item in response.appointment_types),
            next_page_token=response.next_page_token,
        )

    async def update_appointment_type(
        self, appointment_type: AppointmentType, *, request_id: str | None = None
    ) -> AppointmentType:
        """Replace an appointment type whole. Bookings that stand are not moved."""
        link = self._connection
        request = pb.UpdateAppointmentTypeRequest(
            appointment_type=convert.appointment_type_message(appointment_type, link.names),
            request_id=new_request_id(request_id),
        )
        response = await link.calls.unary(link.catalog.UpdateAppointmentType, request)
        return convert.appointment_type(response.appointment_type, response.revision)

    async def delete_appointment_type(self, name: str, *, request_id: str | None = None) -> int:
        """Remove an appointment type; returns the revision. ResourceInUse: it has bookings."""
        link = self._connection
        request = pb.DeleteAppointmentTypeRequest(
            name=link.names.appointment_type(name), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.catalog.DeleteAppointmentType, request)).revision
