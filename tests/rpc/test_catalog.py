"""The catalogue through the API."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from service.domain.scopes import BOOKINGS_STAFF, BOOKINGS_WRITE, CATALOG_READ, CATALOG_WRITE
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, make_shop, refusal, stamp, tomorrow

KINDS = [
    ("Calendar", "calendar", "calendars", "ben"),
    ("AppointmentType", "appointment_type", "appointmentTypes", "talk"),
    ("Schedule", "schedule", "schedules", "late"),
    ("Closure", "closure", "closures", "holiday"),
]


def example(shop, message):
    make = getattr(catalog_pb, message)
    return {
        "Calendar": lambda: make(
            display_name="Ben", time_zone="Europe/Berlin", schedule=shop.name("schedules", "always")
        ),
        "AppointmentType": lambda: make(
            display_name="Talk",
            durations=[Duration(seconds=3600)],
            any_of=[shop.name("calendars", "anna")],
        ),
        "Schedule": lambda: make(display_name="Late"),
        "Closure": lambda: make(
            display_name="Holiday",
            dates=catalog_pb.DateSpan(first_date="2030-12-24", last_date="2030-12-26"),
        ),
    }[message]()


def request_of(method, /, **values):
    return getattr(catalog_pb, f"{method}Request")(**values)


def do(shop, method, /, **values):
    return shop.call(getattr(shop.catalog, method), request_of(method, **values))


@pytest.mark.parametrize(("message", "field", "collection", "last"), KINDS)
def test_each_kind_is_made_read_changed_listed_and_removed(shop, message, field, collection, last):
    name = shop.name(collection, last)
    values = {"parent": shop.business, f"{field}_id": last, field: example(shop, message)}
    created = do(shop, f"Create{message}", request_id=a_request_id(), **values)
    stored = getattr(created, field)
    read = do(shop, f"Get{message}", name=name, min_revision=created.revision)
    stored.display_name = "Renamed"
    updated = do(shop, f"Update{message}", request_id=a_request_id(), **{field: stored})
    listed = do(shop, f"List{message}s", parent=shop.business)
    _, again, _ = refusal(
        getattr(shop.catalog, f"Create{message}"),
        request_of(f"Create{message}", request_id=a_request_id(), **values),
        metadata=shop.metadata,
    )
    removed = do(shop, f"Delete{message}", name=name, request_id=a_request_id())
    gone = refusal(
        getattr(shop.catalog, f"Get{message}"),
        request_of(f"Get{message}", name=name),
        metadata=shop.metadata,
    )

    assert getattr(read, field).display_name != "Renamed"
    assert getattr(read, field).name == name
    assert getattr(updated, field) == stored
    assert stored in getattr(listed, f"{field}s")
    assert again == "RESOURCE_EXISTS"
    assert created.revision < updated.revision < removed.revision
    assert gone[:2] == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert gone[2]["ErrorInfo"].metadata == {"name": name}


@pytest.mark.parametrize(("message", "field", "collection", "last"), KINDS)
def test_what_is_not_there_is_neither_changed_nor_removed(shop, message, field, collection, last):
    absent = shop.name(collection, "absent")
    thing = example(shop, message)
    thing.name = absent
    update = request_of(f"Update{message}", request_id=a_request_id(), **{field: thing})
    delete = request_of(f"Delete{message}", request_id=a_request_id(), name=absent)

    for method, request in ((f"Update{message}", update), (f"Delete{message}", delete)):
        code, _, details = refusal(getattr(shop.catalog, method), request, metadata=shop.metadata)
        assert code is grpc.StatusCode.NOT_FOUND
        assert details["ErrorInfo"].metadata == {"name": absent}


def test_a_page_of_a_list_goes_on_after_the_one_before(shop):
    for last in ("dora", "ben", "carl"):
        do(
            shop,
            "CreateCalendar",
            parent=shop.business,
            calendar_id=last,
            calendar=example(shop, "Calendar"),
            request_id=a_request_id(),
        )

    first = do(shop, "ListCalendars", parent=shop.business, page_size=3)
    second = do(
        shop,
        "ListCalendars",
        parent=shop.business,
        page_size=3,
        page_token=first.next_page_token,
    )

    names = [calendar.name for page in (first, second) for calendar in page.calendars]
    assert names == [shop.name("calendars", last) for last in ("anna", "ben", "carl", "dora")]
    assert second.next_page_token == ""


def test_a_key_of_one_business_sees_that_one_only(shop, operator):
    own = do(shop, "ListBusinesses")
    everyones = do(operator, "ListBusinesses", page_size=500)

    assert [business.name for business in own.businesses] == [shop.business]
    assert shop.business in [business.name for business in everyones.businesses]


def test_a_business_is_renamed_by_its_own_key_and_removed_by_the_operator(shop, operator):
    business = do(shop, "GetBusiness", name=shop.business).business
    business.display_name = "Renamed"
    renamed = do(shop, "UpdateBusiness", business=business, request_id=a_request_id())
    do(operator, "DeleteBusiness", name=shop.business, request_id=a_request_id())

    code, _, details = refusal(
        operator.catalog.GetBusiness,
        catalog_pb.GetBusinessRequest(name=shop.business),
        metadata=operator.metadata,
    )

    assert renamed.business == business
    assert renamed.business.holds_per_holder_max == 5
    assert renamed.business.holds_per_key_max == 1000
    assert code is grpc.StatusCode.NOT_FOUND
    assert details["ErrorInfo"].metadata == {"name": shop.business}


def test_a_business_cannot_be_made_twice(shop, operator):
    request = catalog_pb.CreateBusinessRequest(
        business_id=shop.business_id,
        business=catalog_pb.Business(display_name="Again"),
        request_id=a_request_id(),
    )

    code, reason, _ = refusal(operator.catalog.CreateBusiness, request, metadata=operator.metadata)

    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")


FEED = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Test//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTAMP:20300101T000000Z\r
DTSTART:{start}\r
DTEND:{end}\r
END:VEVENT\r
END:VCALENDAR\r
"""


def import_request(shop, ics, **changes):
    values = {
        "calendar": shop.name("calendars", "anna"),
        "feed_id": "outlook",
        "ics": ics,
        "request_id": a_request_id(),
    }
    return catalog_pb.ImportBusyFeedRequest(**{**values, **changes})


def test_imported_busy_time_closes_slots(shop):
    ics = FEED.format(
        start=tomorrow(9).strftime("%Y%m%dT%H%M%SZ"), end=tomorrow(11).strftime("%Y%m%dT%H%M%SZ")
    ).encode()

    imported = shop.call(shop.catalog.ImportBusyFeed, import_request(shop, ics))
    listed = shop.call(
        shop.availability.ListSlots,
        availability_pb.ListSlotsRequest(
            parent=shop.business,
            start_time=stamp(tomorrow(8)),
            end_time=stamp(tomorrow(12)),
            min_revision=imported.revision,
        ),
    )

    assert imported.busy_intervals == 1
    open_hours = {slot.start_time.ToDatetime().hour for slot in listed.slots}
    assert open_hours == {8, 11}


def test_a_damaged_file_is_refused_with_the_line_at_fault(shop):
    ics = FEED.format(start="20301301T000000Z", end="20300101T000000Z").encode()

    code, reason, details = refusal(
        shop.catalog.ImportBusyFeed, import_request(shop, ics), metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FEED")
    assert details["ErrorInfo"].metadata["line"] == "7"
    assert details["BadRequest"].field_violations[0].field == "ics"


def test_a_feed_for_a_calendar_that_is_not_there_is_not_found(shop):
    request = import_request(shop, b"", calendar=shop.name("calendars", "absent"))

    code, _, details = refusal(shop.catalog.ImportBusyFeed, request, metadata=shop.metadata)

    assert code is grpc.StatusCode.NOT_FOUND
    assert details["ErrorInfo"].metadata == {"name": shop.name("calendars", "absent")}


def test_two_businesses_may_use_the_same_ids(shop, operator):
    make_shop(operator, f"{shop.business_id}-twin")


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        ((CATALOG_READ,), {""}),
        ((CATALOG_READ, BOOKINGS_WRITE), {""}),
        ((CATALOG_READ, CATALOG_WRITE), {"anna@example.com"}),
        ((CATALOG_READ, BOOKINGS_STAFF), {"anna@example.com"}),
    ],
)
def test_the_address_of_staff_is_not_for_the_key_of_a_page(shop, make_caller, scopes, seen):
    name = shop.name("calendars", "anna")
    calendar = do(shop, "GetCalendar", name=name).calendar
    calendar.email = "anna@example.com"
    do(shop, "UpdateCalendar", request_id=a_request_id(), calendar=calendar)
    caller = make_caller(shop.business_id, *scopes)

    read = do(caller, "GetCalendar", name=name).calendar
    listed = do(caller, "ListCalendars", parent=shop.business).calendars

    assert {read.email, *(each.email for each in listed)} == seen
