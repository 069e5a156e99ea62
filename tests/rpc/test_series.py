"""Booking what recurs, through the API."""

from datetime import UTC, timedelta

import grpc
import pytest
from google.rpc import error_details_pb2

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal, stamp, status_of, tomorrow

ALL = booking_pb.BookSeriesRequest.MODE_ALL_OR_NONE
MANY = booking_pb.BookSeriesRequest.MODE_AS_MANY_AS_FIT
DAY = timedelta(days=1)


def a_series(shop, rule="FREQ=DAILY;COUNT=4", *, mode=ALL, start=None, **changes):
    values = {
        "parent": shop.business,
        "request_id": a_request_id(),
        "first": shop.choice(start or tomorrow()),
        "recurrence": rule,
        "mode": mode,
        "customer": booking_pb.Customer(display_name="Kim"),
    }
    return booking_pb.BookSeriesRequest(**{**values, **changes})


def book(shop, *args, **options):
    return shop.call(shop.bookings.BookSeries, a_series(shop, *args, **options))


def report_of(error):
    """Return the report that a refusal carries."""
    for packed in status_of(error).details:
        report = booking_pb.SeriesReport()
        if packed.Unpack(report):
            return report
    raise AssertionError("It carries no report.")


def refused(shop, request):
    with pytest.raises(grpc.RpcError) as caught:
        shop.call(shop.bookings.BookSeries, request)
    code, reason, details = refusal(shop.bookings.BookSeries, request, metadata=shop.metadata)
    return code, reason, dict(details["ErrorInfo"].metadata), report_of(caught.value)


def list_bookings(shop):
    request = booking_pb.ListBookingsRequest(
        parent=shop.business, start_time=stamp(tomorrow()), end_time=stamp(tomorrow() + 60 * DAY)
    )
    return list(shop.call(shop.bookings.ListBookings, request).bookings)


def reason_of(status):
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


def test_each_occurrence_is_answered_with_its_booking_and_can_be_read(shop):
    answer = book(shop)

    starts = [each.start_time.ToDatetime(UTC) for each in answer.report.occurrences]
    assert starts == [tomorrow() + n * DAY for n in range(4)]
    bookings = [each.booking for each in answer.report.occurrences]
    assert {booking.series for booking in bookings} == {answer.series}
    assert list_bookings(shop) == bookings
    read = shop.call(
        shop.bookings.GetBooking,
        booking_pb.GetBookingRequest(name=bookings[1].name, min_revision=answer.revision),
    )
    assert read.booking == bookings[1]
    assert read.revision == answer.revision


def test_each_occurrence_is_cancelled_and_moved_by_itself_and_stays_of_its_series(shop):
    answer = book(shop)
    first, second, *others = [each.booking for each in answer.report.occurrences]

    cancelled = shop.call(
        shop.bookings.CancelBooking,
        booking_pb.CancelBookingRequest(name=first.name, version=1, request_id=a_request_id()),
    ).booking
    moved = shop.call(
        shop.bookings.RescheduleBooking,
        booking_pb.RescheduleBookingRequest(
            name=second.name,
            version=1,
            request_id=a_request_id(),
            to=booking_pb.Appointment(slot=shop.choice(tomorrow(15))),
        ),
    ).booking

    assert cancelled.series == moved.series == answer.series
    assert [each for each in list_bookings(shop) if each.version == 1] == others


def test_a_booking_by_itself_is_of_no_series(shop):
    assert not shop.call(shop.bookings.Book, shop.book_request(tomorrow())).bookings[0].series


def test_where_all_are_wanted_and_one_is_taken_nothing_is_booked_and_the_report_says_which(shop):
    taken = shop.call(shop.bookings.Book, shop.book_request(tomorrow() + DAY)).bookings[0]

    code, reason, metadata, report = refused(shop, a_series(shop))

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SERIES_REFUSED")
    assert metadata == {"occurrences": "4", "refused": "1"}
    outcomes = [each.WhichOneof("outcome") for each in report.occurrences]
    assert outcomes == [None, "refusal", None, None]
    assert reason_of(report.occurrences[1].refusal) == "SLOT_TAKEN"
    assert report.occurrences[1].refusal.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert list_bookings(shop) == [taken]


def test_as_many_as_fit_are_booked_and_the_others_are_told_as_book_would(shop):
    shop.call(shop.bookings.Book, shop.book_request(tomorrow() + DAY))
    alone = refusal(shop.bookings.Book, shop.book_request(tomorrow() + DAY), metadata=shop.metadata)

    answer = book(shop, mode=MANY)

    outcomes = [each.WhichOneof("outcome") for each in answer.report.occurrences]
    assert outcomes == ["booking", "refusal", "booking", "booking"]
    told = answer.report.occurrences[1].refusal
    assert (told.code, reason_of(told)) == (alone[0].value[0], alone[1])
    assert told.message
    assert len(list_bookings(shop)) == 4


def test_where_nothing_fits_it_is_refused_in_either_mode(shop):
    start = tomorrow() + timedelta(minutes=7)

    for mode in (ALL, MANY):
        _, reason, metadata, report = refused(shop, a_series(shop, mode=mode, start=start))
        assert reason == "SERIES_REFUSED"
        assert metadata == {"occurrences": "4", "refused": "4"}
        assert {reason_of(each.refusal) for each in report.occurrences} == {"SLOT_OFF_GRID"}
    assert list_bookings(shop) == []


def test_the_longest_report_fits_into_what_a_client_accepts(shop):
    start = tomorrow() + timedelta(minutes=7)

    _, _, metadata, report = refused(shop, a_series(shop, "FREQ=DAILY;COUNT=52", start=start))

    assert metadata == {"occurrences": "52", "refused": "52"}
    assert len(report.occurrences) == 52


def test_the_most_that_there_may_be_is_booked_in_one_commit(shop):
    type_ = catalog_pb.GetAppointmentTypeRequest(name=shop.name("appointmentTypes", "visit"))
    visit = shop.call(shop.catalog.GetAppointmentType, type_).appointment_type
    visit.horizon.FromTimedelta(400 * DAY)
    changed = shop.call(
        shop.catalog.UpdateAppointmentType,
        catalog_pb.UpdateAppointmentTypeRequest(appointment_type=visit, request_id=a_request_id()),
    )

    answer = book(shop, "FREQ=WEEKLY;COUNT=52")

    assert len(answer.report.occurrences) == 52
    assert answer.revision == changed.revision + 1


def test_a_repetition_is_answered_with_the_same_bytes_and_books_nothing_more(shop):
    request = a_series(shop)
    first = shop.call(shop.bookings.BookSeries, request)

    assert shop.call(shop.bookings.BookSeries, request) == first
    assert len(list_bookings(shop)) == 4

    request.recurrence = "FREQ=DAILY;COUNT=5"
    assert refusal(shop.bookings.BookSeries, request, metadata=shop.metadata)[1] == (
        "REQUEST_ID_REUSED"
    )


def test_a_refusal_is_decided_anew(shop):
    taken = shop.call(shop.bookings.Book, shop.book_request(tomorrow() + DAY)).bookings[0]
    request = a_series(shop)
    refused(shop, request)
    shop.call(
        shop.bookings.CancelBooking,
        booking_pb.CancelBookingRequest(name=taken.name, version=1, request_id=a_request_id()),
    )

    answer = shop.call(shop.bookings.BookSeries, request)

    assert len(answer.report.occurrences) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule": "FREQ=YEARLY;COUNT=2"}, "recurrence"),
        ({"rule": "FREQ=WEEKLY"}, "recurrence"),
        ({"rule": "FREQ=WEEKLY;COUNT=53"}, "recurrence"),
        ({"rule": "FREQ=WEEKLY;COUNT=2;BYSETPOS=1"}, "recurrence"),
        ({"rule": "freq=weekly;count=2"}, "recurrence"),
        ({"rule": "FREQ=WEEKLY;COUNT=2\n"}, "recurrence"),
        ({"rule": ""}, "recurrence"),
        ({"rule": "FREQ=WEEKLY;" + "A" * 200}, "recurrence"),
        ({"mode": 0}, "mode"),
        ({"mode": 7}, "mode"),
        ({"first": None}, "first"),
        ({"customer": None}, "customer"),
        ({"request_id": ""}, "request_id"),
    ],
)
def test_a_malformed_request_is_refused_and_the_field_is_named(shop, changes, field):
    rule = changes.pop("rule", "FREQ=DAILY;COUNT=4")
    request = a_series(shop, rule, **changes)

    code, _, details = refusal(shop.bookings.BookSeries, request, metadata=shop.metadata)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["BadRequest"].field_violations[0].field == field


def test_the_part_of_a_rule_that_is_to_blame_is_named(shop):
    request = a_series(shop, "FREQ=WEEKLY;COUNT=2;BYSETPOS=1")

    _, _, details = refusal(shop.bookings.BookSeries, request, metadata=shop.metadata)

    assert details["ErrorInfo"].metadata["part"] == "BYSETPOS"


def test_staff_see_all_bookings_of_a_series_in_one_change(shop):
    watch = shop.bookings.WatchBookings(
        booking_pb.WatchBookingsRequest(parent=shop.business), metadata=shop.metadata, timeout=20
    )
    frames = iter(watch)
    next(frames)
    answer = book(shop)

    change = next(each.change for each in frames if each.HasField("change"))

    watch.cancel()
    assert change.kind == booking_pb.BookingChange.KIND_BOOKED
    assert list(change.bookings) == [each.booking for each in answer.report.occurrences]
