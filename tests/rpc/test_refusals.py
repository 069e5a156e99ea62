"""What a malformed request is told: which field, and nothing of how the server is made."""

from datetime import timedelta

import grpc
import pytest
from buf.validate import validate_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from service.rpc.interceptors.validation import FIELDS_BY_RULE, RULES_OF_ORDER
from service.rpc.methods import SERVICES
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1 import core_pb2
from tests.rpc.stack import a_request_id, refusal, stamp, tomorrow

ABSENT = "7d444840-9dc0-41d1-a245-5ffdce74fad2"


def fields_refused(caller, method, request):
    code, _, details = refusal(method, request, metadata=caller.metadata)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    return [each.field for each in details["BadRequest"].field_violations]


def booked_with(caller, **changes):
    return fields_refused(caller, caller.bookings.Book, caller.book_request(tomorrow(), **changes))


def listed_with(caller, **changes):
    values = {
        "parent": caller.business,
        "start_time": stamp(tomorrow()),
        "end_time": stamp(tomorrow() + timedelta(hours=1)),
    }
    request = availability_pb.ListSlotsRequest(**{**values, **changes})
    return fields_refused(caller, caller.availability.ListSlots, request)


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 65, "é", "a\n"])
def test_a_request_id_that_is_no_id_is_refused(shop, request_id):
    assert set(booked_with(shop, request_id=request_id)) == {"request_id"}


@pytest.mark.parametrize(
    "customer",
    [
        {"display_name": ""},
        {"display_name": "x" * 201},
        {"display_name": "Kim\r\nBcc: everyone"},
        {"display_name": "Kim\x00"},
        {"display_name": "Kim\u0085"},
        {"display_name": "Kim\u2028"},
    ],
)
def test_a_name_with_control_characters_or_too_long_is_refused(shop, customer):
    assert booked_with(shop, customer=booking_pb.Customer(**customer)) == ["customer.display_name"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("email", "a" * 250 + "@b.example"),
        ("phone", "call me"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "Mars Olympus"),
        ("language", "english please"),
    ],
)
def test_a_customer_who_cannot_be_reached_so_is_refused(shop, field, value):
    customer = booking_pb.Customer(display_name="Kim", **{field: value})

    # An address may break more than one rule.
    assert set(booked_with(shop, customer=customer)) == {f"customer.{field}"}


def test_a_customer_with_everything_is_accepted(shop):
    customer = booking_pb.Customer(
        display_name="Kim 김 O'Hara <b>",
        email="kim@shop.example",
        phone="+49 (30) 123-4567",
        time_zone="Asia/Seoul",
        language="de-DE",
    )
    request = shop.book_request(tomorrow(), customer=customer, fields={"note": "a\nb\tc"})

    response = shop.call(shop.bookings.Book, request)

    assert response.bookings[0].customer == customer
    assert response.bookings[0].fields == {"note": "a\nb\tc"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"note": "x" * 2001}, "fields[note]"),
        ({"note": "a\x00b"}, "fields[note]"),
        ({"note": "a\x7fb"}, "fields[note]"),
        ({"Note!": "x"}, "fields[?]"),
        ({"k" * 65: "x"}, "fields[?]"),
        ({str(number): "x" for number in range(31)}, "fields"),
    ],
)
def test_answers_too_long_too_many_or_with_control_characters_are_refused(shop, fields, named):
    assert booked_with(shop, fields=fields) == [named]


@pytest.mark.parametrize(
    "start", [Timestamp(seconds=-1), Timestamp(seconds=2**40), Timestamp(nanos=-1)]
)
def test_a_start_that_no_calendar_has_is_refused(shop, start):
    slot = shop.choice(tomorrow(), start_time=start)
    appointments = [booking_pb.Appointment(slot=slot)]

    (field,) = set(booked_with(shop, appointments=appointments))
    assert field == "appointments[0].slot.start_time"


def test_an_appointment_without_a_slot_is_refused(shop):
    assert booked_with(shop, appointments=[booking_pb.Appointment()]) == ["appointments[0].choice"]
    assert booked_with(shop, appointments=[]) == ["appointments"]


@pytest.mark.parametrize(
    ("length", "is_refused"),
    [
        (timedelta(days=62), False),
        (timedelta(days=62, microseconds=1), True),
        (timedelta(0), True),
        (timedelta(hours=-1), True),
    ],
)
def test_a_window_is_after_its_start_and_at_most_62_days_long(shop, length, is_refused):
    request = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow()),
        end_time=stamp(tomorrow() + length),
    )

    if is_refused:
        assert fields_refused(shop, shop.availability.ListSlots, request) == ["end_time"]
    else:
        shop.call(shop.availability.ListSlots, request)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_time": None}, "start_time"),
        ({"duration": Duration(seconds=90)}, "duration"),
        ({"duration": Duration(seconds=59)}, "duration"),
        ({"page_size": 2001}, "page_size"),
        ({"min_revision": -1}, "min_revision"),
        ({"holder": "a b"}, "holder"),
        ({"appointment_types": ["visit"]}, "appointment_types[0]"),
        ({"calendars": ["businesses/a/calendars/a"] * 2}, "calendars"),
        ({"page_token": "x" * 1025}, "page_token"),
    ],
)
def test_a_malformed_query_is_refused(shop, changes, field):
    assert listed_with(shop, **changes) == [field]


@pytest.mark.parametrize(
    "name",
    ["", "shop", "businesses/", "businesses/UPPER", "businesses/a b", "businesses/" + "a" * 41],
)
def test_a_malformed_name_is_refused(shop, name):
    assert listed_with(shop, parent=name) == ["parent"]


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "a" * 1000])
def test_a_page_token_that_we_did_not_write_is_refused(shop, token):
    request = booking_pb.ListBookingsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow()),
        end_time=stamp(tomorrow() + timedelta(days=1)),
        page_token=token,
    )

    code, reason, _ = refusal(shop.bookings.ListBookings, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


def test_a_page_token_of_another_query_is_refused(shop):
    query = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow()),
        end_time=stamp(tomorrow() + timedelta(hours=2)),
        page_size=1,
    )
    query.page_token = shop.call(shop.availability.ListSlots, query).next_page_token
    shop.call(shop.availability.ListSlots, query)
    query.calendars.append(shop.name("calendars", "anna"))

    code, reason, _ = refusal(shop.availability.ListSlots, query, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    "asked",
    [
        {"appointment_types": ["businesses/other/appointmentTypes/visit"]},
        {"calendars": ["businesses/other/calendars/anna"]},
    ],
    ids=["type", "calendar"],
)
def test_a_query_for_what_another_business_has_finds_nothing_at_all(shop, asked):
    values = {
        "parent": shop.business,
        "start_time": stamp(tomorrow()),
        "end_time": stamp(tomorrow() + timedelta(hours=2)),
        **asked,
    }
    request = availability_pb.ListSlotsRequest(**values)

    code, reason, _ = refusal(shop.availability.ListSlots, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


def test_a_message_over_the_limit_is_refused(shop):
    request = shop.book_request(tomorrow(), fields={"note": "x" * 1_100_000})

    with pytest.raises(grpc.RpcError) as refused:
        shop.call(shop.bookings.Book, request)

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_bytes_that_are_no_message_are_refused(grpc_channel, shop):
    method = grpc_channel.unary_unary("/slotcast.v1.BookingService/Book")

    code, reason, details = refusal(method, b"\xff\xff\xff", metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert details["ErrorInfo"].metadata == {"field": "request"}


def test_only_so_many_violations_are_told_that_an_answer_can_be_read(shop):
    bad = {f"Bad key {number}": "x" * 3000 for number in range(31)}

    fields = booked_with(shop, fields=bad, request_id="")

    assert len(fields) == 8


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "calendar.time_zone"),
        ({"display_name": ""}, "calendar.display_name"),
        ({"schedule": "always"}, "calendar.schedule"),
    ],
)
def test_a_malformed_calendar_is_refused(shop, change, field):
    calendar = {
        "display_name": "Ben",
        "time_zone": "UTC",
        "schedule": shop.name("schedules", "always"),
    }
    request = catalog_pb.CreateCalendarRequest(
        parent=shop.business,
        calendar_id="ben",
        calendar=catalog_pb.Calendar(**{**calendar, **change}),
        request_id=a_request_id(),
    )

    assert fields_refused(shop, shop.catalog.CreateCalendar, request) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"durations": []}, "appointment_type.durations"),
        ({"durations": [Duration(seconds=90)]}, "appointment_type.durations[0]"),
        ({"durations": [Duration(seconds=1800)] * 2}, "appointment_type.durations"),
        ({"slot_step": Duration(seconds=61)}, "appointment_type.slot_step"),
        ({"buffer_after": Duration(seconds=60, nanos=5)}, "appointment_type.buffer_after"),
        ({"capacity": 1001}, "appointment_type.capacity"),
        ({"any_of": []}, "appointment_type.any_of"),
        ({"horizon": Duration(seconds=10**9)}, "appointment_type.horizon"),
    ],
)
def test_a_malformed_type_is_refused(shop, change, field):
    kind = {
        "display_name": "Visit",
        "durations": [Duration(seconds=1800)],
        "any_of": [shop.name("calendars", "anna")],
    }
    request = catalog_pb.CreateAppointmentTypeRequest(
        parent=shop.business,
        appointment_type_id="other",
        appointment_type=catalog_pb.AppointmentType(**{**kind, **change}),
        request_id=a_request_id(),
    )

    assert fields_refused(shop, shop.catalog.CreateAppointmentType, request) == [field]


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2030-02-30", "2030-03-01", "closure.dates.first_date"),
        ("2030-02-01", "2030-02-31", "closure.dates.last_date"),
        ("2030-02-02", "2030-02-01", "closure.dates.last_date"),
        ("2030-2-2", "2030-02-01", "closure.dates.first_date"),
    ],
)
def test_a_closure_of_days_that_do_not_exist_is_refused(shop, first, last, field):
    dates = catalog_pb.DateSpan(first_date=first, last_date=last)
    request = catalog_pb.CreateClosureRequest(
        parent=shop.business,
        closure_id="holiday",
        closure=catalog_pb.Closure(display_name="Holiday", dates=dates),
        request_id=a_request_id(),
    )

    assert fields_refused(shop, shop.catalog.CreateClosure, request) == [field]


NO_TIMES = [
    ("start_time", Timestamp(seconds=2**60)),
    ("start_time", Timestamp(seconds=2**40)),
    ("start_time", Timestamp(seconds=-(2**40))),
    ("start_time", Timestamp(seconds=2**33, nanos=-1)),
    ("end_time", Timestamp(seconds=2**40)),
    ("end_time", Timestamp(seconds=-(2**62))),
    ("end_time", Timestamp(nanos=2 * 10**9)),
]


@pytest.mark.parametrize(("field", "time"), NO_TIMES)
def test_the_end_of_a_window_that_is_no_time_is_the_one_named(shop, field, time):
    assert listed_with(shop, **{field: time}) == [field]


@pytest.mark.parametrize(("field", "time"), NO_TIMES)
def test_the_end_of_a_closure_that_is_no_time_is_the_one_named(shop, field, time):
    assert closed_with(shop, **{field: time}) == [f"closure.times.{field}"]


def test_a_closure_that_ends_before_it_begins_is_refused_for_its_end(shop):
    assert closed_with(shop, end_time=stamp(tomorrow(7))) == ["closure.times.end_time"]


def test_both_ends_of_a_window_and_what_else_is_wrong_are_named(shop):
    bad = Timestamp(seconds=2**60)

    assert listed_with(shop, start_time=bad, end_time=bad, holder="a b") == [
        "start_time",
        "end_time",
        "holder",
    ]


def closed_with(caller, **changes):
    values = {"start_time": stamp(tomorrow(8)), "end_time": stamp(tomorrow(9))}
    times = catalog_pb.TimeSpan(**{**values, **changes})
    request = catalog_pb.CreateClosureRequest(
        parent=caller.business,
        closure_id="holiday",
        closure=catalog_pb.Closure(display_name="Holiday", times=times),
        request_id=a_request_id(),
    )
    return fields_refused(caller, caller.catalog.CreateClosure, request)


def test_an_update_that_does_not_say_of_what_is_refused(shop):
    request = catalog_pb.UpdateCalendarRequest(
        calendar=catalog_pb.Calendar(
            display_name="Anna", time_zone="UTC", schedule=shop.name("schedules", "always")
        ),
        request_id=a_request_id(),
    )

    assert fields_refused(shop, shop.catalog.UpdateCalendar, request) == ["calendar.name"]


def test_a_revision_that_is_not_reached_is_unavailable(shop):
    request = catalog_pb.GetBusinessRequest(name=shop.business, min_revision=10**9)

    code, reason, details = refusal(shop.catalog.GetBusiness, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "REVISION_AHEAD")
    assert details["ErrorInfo"].metadata == {"revision": str(10**9)}
    assert details["RetryInfo"].retry_delay.ToTimedelta() > timedelta(0)


def messages_in(container):
    """Yield all messages of a file, at any depth."""
    for message in container:
        yield message
        yield from messages_in(message.nested_types)


def rules_of_whole_messages():
    """Return each rule that names no field itself, with the message that it is of."""
    files = {service.file for service in SERVICES.values()} | {core_pb2.DESCRIPTOR}
    found = []
    for file in files:
        for message in messages_in(file.message_types_by_name.values()):
            rules = message.GetOptions().Extensions[validate_pb2.message]
            ids = [rule.id for rule in rules.cel] + list(rules.cel_expression)
            found += [(rule_id, message) for rule_id in ids + ["message.oneof"] * len(rules.oneof)]
    return found


def test_a_rule_of_a_whole_message_is_told_as_one_of_its_fields():
    """Else a caller learns that something is wrong with the request, and not what."""
    rules = rules_of_whole_messages()

    assert {rule_id for rule_id, _ in rules} == set(FIELDS_BY_RULE)
    for rule_id, message in rules:
        assert FIELDS_BY_RULE[rule_id] in message.fields_by_name, message.full_name
    assert set(FIELDS_BY_RULE) >= RULES_OF_ORDER


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "localtime"),
        ("start", "2030-06-31T10:00:00+02:00"),
        ("start", "2030-06-03T10:00:00+99:00"),
        ("start", "2030-06-03 10:00"),
        ("start", "2030-06-03T10:00:00"),
    ],
)
def test_what_nobody_can_have_been_shown_is_refused(shop, field, value):
    shown = {
        "start": "2030-06-03T10:00:00+02:00",
        "time_zone": "Europe/Berlin",
        "appointment_type": "Visit",
        field: value,
    }
    appointment = booking_pb.Appointment(
        slot=shop.choice(tomorrow()), consent=booking_pb.Consent(**shown)
    )

    assert booked_with(shop, appointments=[appointment]) == [f"appointments[0].consent.{field}"]


def test_what_no_form_could_send_as_it_is_filled_in_is_handed_off_to_none(shop):
    said = booking_pb.PrefilledField.PROVENANCE_SAID
    email = booking_pb.PrefilledField(name="email", value="kim@example.org", provenance=said)
    many = [
        booking_pb.PrefilledField(name=f"answer-{number}", value="yes", provenance=said)
        for number in range(30)
    ]
    unmarked = booking_pb.PrefilledField(name="note", value="dog")

    for fields, refused in (
        ([email, email], "fields[1].name"),
        ([email, *many], "fields"),
        ([unmarked], "fields[0].provenance"),
    ):
        request = booking_pb.CreateHandoffRequest(
            hold=shop.name("holds", ABSENT), request_id=a_request_id(), fields=fields
        )
        assert fields_refused(shop, shop.bookings.CreateHandoff, request) == [refused]
