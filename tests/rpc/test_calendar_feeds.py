"""The bookings of a calendar as a file, by a key and by a secret address."""

import grpc
import icalendar
import pytest

from service.domain.scopes import BOOKINGS_READ, CATALOG_READ
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.feeding import a_feed_shop, refused
from tests.rpc.stack import a_request_id, tomorrow


@pytest.fixture
async def shop(database_url, tmp_path):
    async with a_feed_shop(database_url, tmp_path) as shop:
        yield shop


def events_of(data):
    return list(icalendar.Calendar.from_ical(data).walk("VEVENT"))


async def test_the_file_of_a_calendar_has_its_bookings_without_names(shop):
    booking = await shop.book(tomorrow(9), name="Kim Example")
    await shop.book(tomorrow(11))

    data = await shop.file()

    first, second = events_of(data)
    booking_id = booking.name.rpartition("/")[2]
    assert first["UID"] == f"{booking_id}@demo.slotcast"
    assert first["SEQUENCE"] == 0
    assert first["DTSTART"].dt == tomorrow(9)
    assert first["DTEND"].dt == tomorrow(9, 30)
    assert (first["SUMMARY"], first["STATUS"]) == ("Visit", "CONFIRMED")
    assert second["DTSTART"].dt == tomorrow(11)
    assert b"Kim" not in data


async def test_names_are_in_the_file_where_they_are_asked_for(shop):
    await shop.book(tomorrow(9), name="Kim Example")

    (event,) = events_of(await shop.file(with_names=True))

    assert event["SUMMARY"] == "Visit: Kim Example"


async def test_a_booking_that_moves_rises_in_sequence_and_one_that_is_cancelled_is_gone(shop):
    booking = await shop.book(tomorrow(9))
    move = booking_pb.RescheduleBookingRequest(
        name=booking.name,
        version=booking.version,
        to=booking_pb.Appointment(slot=shop.choice(tomorrow(14))),
        request_id=a_request_id(),
    )
    moved = (await shop.call(shop.bookings.RescheduleBooking, move)).booking
    (event,) = events_of(await shop.file())
    assert (event["SEQUENCE"], event["DTSTART"].dt) == (1, tomorrow(14))

    cancel = booking_pb.CancelBookingRequest(
        name=moved.name, version=moved.version, request_id=a_request_id()
    )
    await shop.call(shop.bookings.CancelBooking, cancel)

    assert events_of(await shop.file()) == []


async def test_the_file_is_what_another_slotcast_imports(shop):
    await shop.book(tomorrow(9))
    data = await shop.file()

    imported = await shop.import_feed(feed_id="mirror", ics=data)

    assert imported.busy_intervals == 1


class TestSecretAddresses:
    async def test_whoever_has_the_address_reads_the_file_without_a_key(self, shop):
        await shop.book(tomorrow(9), name="Kim Example")
        created = await shop.link(display_name="Anna's phone")

        body = await shop.shared(created.url)

        assert created.url.startswith("/v1/feeds/")
        assert created.url.endswith(".ics")
        assert body.content_type == "text/calendar; charset=utf-8"
        (event,) = events_of(body.data)
        assert event["SUMMARY"] == "Visit"

    async def test_an_address_may_be_one_with_names(self, shop):
        await shop.book(tomorrow(9), name="Kim Example")
        created = await shop.link(with_names=True)

        (event,) = events_of((await shop.shared(created.url)).data)

        assert event["SUMMARY"] == "Visit: Kim Example"

    async def test_the_secret_is_told_once_and_kept_as_a_hash(self, shop):
        created = await shop.link(display_name="Anna's phone")
        request = catalog_pb.ListFeedLinksRequest(parent=shop.anna)

        listed = await shop.call(shop.catalog.ListFeedLinks, request)

        assert list(listed.links) == [created.link]
        secret = created.url.removesuffix(".ics").rpartition("/")[2].split("_", 2)[2]
        async with shop.stack.database.snapshot("demo") as tx:
            rows = (await tx.exec_driver_sql("SELECT feed_links::text FROM feed_links")).all()
        assert len(rows) == 1
        assert secret not in str(rows)

    async def test_an_address_that_was_revoked_is_not_found(self, shop):
        created = await shop.link()
        kept = await shop.link()
        delete = catalog_pb.DeleteFeedLinkRequest(name=created.link.name)

        await shop.call(shop.catalog.DeleteFeedLink, delete)

        code, reason, _ = await refused(shop.shared(created.url))
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
        assert (await shop.shared(kept.url)).data
        code, _, _ = await refused(shop.call(shop.catalog.DeleteFeedLink, delete))
        assert code is grpc.StatusCode.NOT_FOUND

    async def test_a_wrong_address_is_not_found_whatever_is_wrong_with_it(self, shop):
        url = (await shop.link()).url.removesuffix(".ics")
        business, link_id, secret = url.rpartition("/")[2].split("_", 2)
        for token in (
            f"{business}_{link_id}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
            f"{business}_{link_id}_{'A' * 32}",
            f"{business}_{'0' * 32}_{secret}",
            f"other_{link_id}_{secret}",
            "x" * 40,
        ):
            code, reason, text = await refused(shop.shared(token))
            assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
            assert text == "There is no feeds/…."

    async def test_an_address_may_be_read_so_often_in_a_minute(self, shop):
        created = await shop.link()
        for _ in range(30):
            await shop.shared(created.url)

        code, reason, _ = await refused(shop.shared(created.url))

        assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert (await shop.shared((await shop.link()).url)).data

    async def test_an_address_goes_with_its_calendar(self, shop):
        calendar = catalog_pb.Calendar(
            display_name="Ben", time_zone="UTC", schedule=shop.name("schedules", "always")
        )
        create = catalog_pb.CreateCalendarRequest(
            parent=shop.business, calendar_id="ben", calendar=calendar, request_id=a_request_id()
        )
        await shop.call(shop.catalog.CreateCalendar, create)
        link = catalog_pb.CreateFeedLinkRequest(parent=shop.name("calendars", "ben"))
        created = await shop.call(shop.catalog.CreateFeedLink, link)
        delete = catalog_pb.DeleteCalendarRequest(
            name=shop.name("calendars", "ben"), request_id=a_request_id()
        )
        await shop.call(shop.catalog.DeleteCalendar, delete)

        code, _, _ = await refused(shop.shared(created.url))

        assert code is grpc.StatusCode.NOT_FOUND

    async def test_making_an_address_needs_the_scope_that_reads_bookings(self, shop):
        for scopes, is_allowed in (((CATALOG_READ,), False), ((BOOKINGS_READ,), True)):
            key = await shop.stack.make_key("demo", scopes=scopes)
            call = shop.catalog.CreateFeedLink(
                catalog_pb.CreateFeedLinkRequest(parent=shop.anna),
                metadata=(("authorization", f"Bearer {key}"),),
            )
            if is_allowed:
                assert (await call).url
            else:
                assert (await refused(call))[0] is grpc.StatusCode.PERMISSION_DENIED
