"""Every method of the API: what a key needs to call it, and which business a request concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from service.domain.scopes import (
    AVAILABILITY_READ,
    BOOKINGS_READ,
    BOOKINGS_REPLIES,
    BOOKINGS_STAFF,
    BOOKINGS_WRITE,
    CATALOG_READ,
    CATALOG_WRITE,
    NOTIFICATIONS,
    OPERATOR,
)
from slotcast.v1 import (
    availability_service_pb2,
    booking_service_pb2,
    catalog_service_pb2,
    event_service_pb2,
    feed_service_pb2,
    notification_service_pb2,
)

SCOPES_BY_METHOD: Mapping[str, frozenset[str]] = {
    "AvailabilityService/ListSlots": frozenset({AVAILABILITY_READ}),
    "AvailabilityService/WatchAvailability": frozenset({AVAILABILITY_READ}),
    "AvailabilityService/ExplainSlot": frozenset({AVAILABILITY_READ}),
    "AvailabilityService/ResolveTime": frozenset({AVAILABILITY_READ}),
    "BookingService/HoldSlot": frozenset({BOOKINGS_WRITE}),
    "BookingService/RenewHold": frozenset({BOOKINGS_WRITE}),
    "BookingService/ReleaseHold": frozenset({BOOKINGS_WRITE}),
    "BookingService/Book": frozenset({BOOKINGS_WRITE}),
    "BookingService/StreamBookings": frozenset({BOOKINGS_WRITE}),
    "BookingService/GetBooking": frozenset({BOOKINGS_READ}),
    "BookingService/ListBookings": frozenset({BOOKINGS_READ}),
    "BookingService/RescheduleBooking": frozenset({BOOKINGS_WRITE}),
    "BookingService/CancelBooking": frozenset({BOOKINGS_WRITE}),
    "BookingService/ApproveBooking": frozenset({BOOKINGS_STAFF}),
    "BookingService/DeclineBooking": frozenset({BOOKINGS_STAFF}),
    "BookingService/CompleteBooking": frozenset({BOOKINGS_STAFF}),
    "BookingService/MarkNoShow": frozenset({BOOKINGS_STAFF}),
    "BookingService/WatchBookings": frozenset({BOOKINGS_READ, BOOKINGS_STAFF}),
    "BookingService/CreateHandoff": frozenset({BOOKINGS_WRITE}),
    "BookingService/RedeemHandoff": frozenset({BOOKINGS_WRITE}),
    "BookingService/JoinWaitlist": frozenset({BOOKINGS_WRITE}),
    "BookingService/GetWaitlistEntry": frozenset({BOOKINGS_READ}),
    "BookingService/ListWaitlist": frozenset({BOOKINGS_STAFF}),
    "BookingService/LeaveWaitlist": frozenset({BOOKINGS_WRITE}),
    "BookingService/BookSeries": frozenset({BOOKINGS_WRITE}),
    "EventService/WatchSlotEvents": frozenset({AVAILABILITY_READ}),
    "EventService/WatchBookingEvents": frozenset({BOOKINGS_READ, BOOKINGS_STAFF}),
    "CatalogService/CreateBusiness": frozenset({OPERATOR}),
    "CatalogService/GetBusiness": frozenset({CATALOG_READ}),
    "CatalogService/ListBusinesses": frozenset({CATALOG_READ}),
    "CatalogService/UpdateBusiness": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteBusiness": frozenset({OPERATOR}),
    "CatalogService/CreateCalendar": frozenset({CATALOG_WRITE}),
    "CatalogService/GetCalendar": frozenset({CATALOG_READ}),
    "CatalogService/ListCalendars": frozenset({CATALOG_READ}),
    "CatalogService/UpdateCalendar": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteCalendar": frozenset({CATALOG_WRITE}),
    "CatalogService/CreateAppointmentType": frozenset({CATALOG_WRITE}),
    "CatalogService/GetAppointmentType": frozenset({CATALOG_READ}),
    "CatalogService/ListAppointmentTypes": frozenset({CATALOG_READ}),
    "CatalogService/UpdateAppointmentType": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteAppointmentType": frozenset({CATALOG_WRITE}),
    "CatalogService/CreateSchedule": frozenset({CATALOG_WRITE}),
    "CatalogService/GetSchedule": frozenset({CATALOG_READ}),
    "CatalogService/ListSchedules": frozenset({CATALOG_READ}),
    "CatalogService/UpdateSchedule": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteSchedule": frozenset({CATALOG_WRITE}),
    "CatalogService/CreateClosure": frozenset({CATALOG_WRITE}),
    "CatalogService/GetClosure": frozenset({CATALOG_READ}),
    "CatalogService/ListClosures": frozenset({CATALOG_READ}),
    "CatalogService/UpdateClosure": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteClosure": frozenset({CATALOG_WRITE}),
    "CatalogService/ImportBusyFeed": frozenset({CATALOG_WRITE}),
    # The address of a feed is often a secret, and pages have keys that may read the catalogue.
    "CatalogService/GetBusyFeed": frozenset({CATALOG_WRITE}),
    "CatalogService/ListBusyFeeds": frozenset({CATALOG_WRITE}),
    "CatalogService/DeleteBusyFeed": frozenset({CATALOG_WRITE}),
    "CatalogService/GetCalendarFeed": frozenset({BOOKINGS_READ}),
    "CatalogService/CreateFeedLink": frozenset({BOOKINGS_READ}),
    "CatalogService/ListFeedLinks": frozenset({BOOKINGS_READ}),
    "CatalogService/DeleteFeedLink": frozenset({BOOKINGS_READ}),
    "FeedService/GetSharedFeed": frozenset(),
    "NotificationService/CreateWebhook": frozenset({NOTIFICATIONS}),
    "NotificationService/GetWebhook": frozenset({NOTIFICATIONS}),
    "NotificationService/ListWebhooks": frozenset({NOTIFICATIONS}),
    "NotificationService/UpdateWebhook": frozenset({NOTIFICATIONS}),
    "NotificationService/DeleteWebhook": frozenset({NOTIFICATIONS}),
    "NotificationService/ReplayWebhook": frozenset({NOTIFICATIONS}),
    "NotificationService/ListDeliveries": frozenset({NOTIFICATIONS}),
    "NotificationService/RetryDelivery": frozenset({NOTIFICATIONS}),
    "NotificationService/ReceiveReply": frozenset({BOOKINGS_REPLIES}),
}
"""Any one of the scopes will do. A method that is not listed cannot be served.

GetSharedFeed needs no key, for its address is one.
"""

SERVICES: Mapping[str, ServiceDescriptor] = {
    service.name: service
    for module in (
        availability_service_pb2,
        booking_service_pb2,
        event_service_pb2,
        catalog_service_pb2,
        notification_service_pb2,
        feed_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
}
"""All that is served, by short name."""

_NAME_FIELDS = ("parent", "name", "calendar", "hold")
_UPDATED_FIELDS = ("business", "calendar", "appointment_type", "schedule", "closure", "webhook")
_OF_NO_BUSINESS = frozenset({"StreamBookings", "CreateBusiness", "ListBusinesses", "GetSharedFeed"})
"""A stream's requests name one each; the others are for what no business owns."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Method:
    """One method. `read_name` reads the resource name that says which business is concerned.

    `can_override`: its requests have an `override_notice`.
    """

    name: str
    path: str
    scopes: frozenset[str]
    request_class: type[Message]
    response_class: type[Message]
    streams_requests: bool
    streams_answers: bool
    has_request_id: bool
    name_field: str
    read_name: Callable[[Any], str] | None
    can_override: bool


def _method(service: ServiceDescriptor, descriptor: MethodDescriptor) -> Method:
    name_field = "" if descriptor.name in _OF_NO_BUSINESS else _name_field(descriptor.input_type)
    return Method(
        name=descriptor.name,
        path=f"/{service.full_name}/{descriptor.name}",
        scopes=SCOPES_BY_METHOD[f"{service.name}/{descriptor.name}"],
        request_class=GetMessageClass(descriptor.input_type),
        response_class=GetMessageClass(descriptor.output_type),
        streams_requests=descriptor.client_streaming,
        streams_answers=descriptor.server_streaming,
        # What comes on a stream is requests, which have one each.
        has_request_id=descriptor.client_streaming
        or "request_id" in descriptor.input_type.fields_by_name,
        name_field=name_field,
        read_name=attrgetter(name_field) if name_field else None,
        can_override="override_notice" in descriptor.input_type.fields_by_name,
    )


def _name_field(request: Descriptor) -> str:
    for field in _NAME_FIELDS:
        if field in request.fields_by_name and not request.fields_by_name[field].message_type:
            return field
    for field in _UPDATED_FIELDS:
        if field in request.fields_by_name:
            return f"{field}.name"
    raise LookupError(f"{request.name} names no business.")


METHODS: Mapping[str, Method] = {
    method.path: method
    for service in SERVICES.values()
    for method in (_method(service, descriptor) for descriptor in service.methods)
}
METHODS_BY_NAME: Mapping[str, Method] = {method.name: method for method in METHODS.values()}
