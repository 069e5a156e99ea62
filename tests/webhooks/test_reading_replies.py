"""A mail that answers an invitation is understood, whoever's program wrote it; others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.booking import Booking, BookingStatus, Customer
from service.domain.errors import InvalidRequest
from service.domain.interval import Interval
from service.notify.replies import (
    CALENDAR_BYTES_MAX,
    MAIL_BYTES_MAX,
    Reply,
    Verdict,
    booking_of,
    judge,
    read_mail,
)
from tests.builders import NOW, a_type, at
from tests.webhooks.mails import BOOKING_ID, PROGRAMS, UID, a_calendar, bare, gmail

programs = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())


@programs
@pytest.mark.parametrize("answer", ["DECLINED", "ACCEPTED", "TENTATIVE"])
def test_what_each_program_writes_is_understood(program, answer):
    mail = read_mail(program(answer, sequence=3))

    assert mail.reply == Reply(uid=UID, sequence=3, answers={"eve@example.org": answer})
    assert booking_of(mail.reply, "demo") == BOOKING_ID


@programs
def test_the_same_mail_is_known_again_and_another_is_not(program):
    mail = program()
    other = mail.replace(b"-0001@", b"-0002@").replace(b"AM0PR01MB1234ABC", b"AM0PR01MB9999ABC")
    other = other.replace(b"<5B0C2D1E", b"<6B0C2D1E")

    assert read_mail(mail).key == read_mail(b"Received: again\r\n" + mail).key
    assert read_mail(mail).key != read_mail(other).key


def test_a_mail_without_an_id_is_known_by_all_that_is_in_it():
    mail = bare(a_calendar()).replace(b"Message-ID: <bare@example.org>\r\n", b"")

    assert read_mail(mail).key == read_mail(mail).key
    assert read_mail(mail).key != read_mail(mail.replace(b"SEQUENCE:0", b"SEQUENCE:1")).key


@pytest.mark.parametrize(
    "mail",
    [
        b"Subject: Hello\r\n\r\nCan I come at ten?\r\n",
        bare(a_calendar(method="REQUEST")),
        bare(a_calendar(method="COUNTER")),
        bare("BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n"),
        b"nothing",
    ],
    ids=["text", "an invitation", "a counter-proposal", "no event", "no mail at all"],
)
def test_a_mail_without_a_reply_has_none(mail):
    assert read_mail(mail).reply is None


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("ATTENDEE;PARTSTAT=declined:mailto:eve@example.org", {"eve@example.org": "DECLINED"}),
        ("ATTENDEE;PARTSTAT=DECLINED:MAILTO:EVE@EXAMPLE.ORG", {"eve@example.org": "DECLINED"}),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:eve%2Btag@a.b", {"eve+tag@a.b": "DECLINED"}),
        ("ATTENDEE:mailto:eve@example.org", {"eve@example.org": "NEEDS-ACTION"}),
        (
            'ATTENDEE;CN="a:b;c";PARTSTAT=DECLINED;SENT-BY="mailto:x@y.z":mailto:eve@example.org',
            {"eve@example.org": "DECLINED"},
        ),
        (
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.c\nATTENDEE;PARTSTAT=DECLINED:mailto:d@e.f",
            {"a@b.c": "ACCEPTED", "d@e.f": "DECLINED"},
        ),
        ("SUMMARY:nobody", {}),
    ],
)
def test_who_answered_what_is_read_in_all_its_forms(line, answers):
    event = (f"UID:{UID}", *line.split("\n"))

    assert read_mail(bare(a_calendar(event=event))).reply.answers == answers


def test_a_copy_that_is_damaged_does_not_matter_where_another_can_be_read():
    mail = gmail().replace(b"SEQUENCE:0\r\nSTATUS", b"SEQUENCE:none\r\nSTATUS", 1)

    assert read_mail(mail).reply.answers == {"eve@example.org": "DECLINED"}


@pytest.mark.parametrize(
    "mail",
    [
        bare("BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n"),
        bare("no calendar\n"),
        bare(a_calendar(event=(f"UID:{UID}", "SEQUENCE:soon"))),
        bare(a_calendar(event=(f"UID:{UID}", "SEQUENCE:-1"))),
        bare(a_calendar(event=(f"UID:{UID}", "SEQUENCE:99999999999999999999"))),
        bare(a_calendar()).replace(b"charset=utf-8", b"charset=none-such"),
        bare(
            a_calendar().replace("END:VEVENT", "SUMMARY:\x00\nEND:VEVENT").replace("UID", "\xff")
        ).replace("ÿ".encode(), b"\xff"),
    ],
    ids=[
        "cut off",
        "text",
        "text as a number",
        "negative",
        "huge",
        "no charset",
        "no utf-8",
    ],
)
def test_a_damaged_calendar_is_refused(mail):
    with pytest.raises(InvalidRequest) as refused:
        read_mail(mail)

    assert refused.value.field == "mail"


@pytest.mark.parametrize("charset", [b"punycode", b"idna", b"utf-7", b"zlib", b"unicode_escape"])
def test_a_charset_that_no_calendar_has_is_refused_before_it_is_tried(charset):
    mail = bare(a_calendar()).replace(b"charset=utf-8", b"charset=" + charset)

    with pytest.raises(InvalidRequest, match="charset"):
        read_mail(mail)


def nested(depth):
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each)
        for each in range(depth)
    )


@pytest.mark.parametrize(
    "mail",
    [
        b"a" * (MAIL_BYTES_MAX + 1),
        b"Subject: x\n\n" + b"\n" * 100_000,
        nested(60),
        nested(5_000),
        b"Content-Type: message/rfc822\n\n" * 500,
        b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 2_000,
        b"Content-Type: multipart/mixed" + b";a" * 200_000 + b"\n\n",
        b"Content-Type: multipart/mixed;" + b"\n a=b;" * 2_000 + b"\n\n",
        bare(a_calendar(event=(f"UID:{UID}", *["COMMENT:" + "x" * 990] * 500))),
        bare(a_calendar(event=("ATTENDEE:mailto:a@b.c",) * (CALENDAR_BYTES_MAX // 20))),
    ],
    ids=[
        "bytes",
        "lines",
        "nested",
        "nested deep",
        "forwarded",
        "parts",
        "parameters",
        "folded parameters",
        "long calendar",
        "many attendees",
    ],
)
def test_what_would_cost_too_much_is_refused_before_it_is_read(mail):
    with pytest.raises(InvalidRequest):
        read_mail(mail)


@pytest.mark.parametrize(
    ("uid", "found"),
    [
        (UID, True),
        (UID.upper(), True),
        (f"{BOOKING_ID}@other.slotcast", False),
        (f"{BOOKING_ID}@demo.example.com", False),
        (f"x{UID}", False),
        (f"{UID}\n", False),
        ("040000008200E00074C5B7101A82E008", False),
        ("", False),
    ],
)
def test_only_an_event_of_a_booking_of_this_business_is_one(uid, found):
    reply = Reply(uid=uid, sequence=0, answers={})

    assert (booking_of(reply, "demo") == BOOKING_ID) is found


CONFIRMED = Booking(
    booking_id=BOOKING_ID,
    type_id="visit",
    calendar_ids=("anna",),
    appointment=Interval(at("09:00"), at("09:30")),
    zone="UTC",
    status=BookingStatus.CONFIRMED,
    version=2,
    customer=Customer(display_name="Eve", email="Eve@Example.org"),
    fields={},
    created_at=NOW,
    updated_at=NOW,
)
ALLOWED = a_type(cancel_by_reply=True)
DECLINED = Reply(uid=UID, sequence=1, answers={"eve@example.org": "DECLINED"})


@pytest.mark.parametrize(
    ("reply", "booking", "type_", "verdict"),
    [
        (DECLINED, CONFIRMED, ALLOWED, Verdict.CANCELS),
        (DECLINED, replace(CONFIRMED, status=BookingStatus.PENDING), ALLOWED, Verdict.CANCELS),
        (replace(DECLINED, sequence=9), CONFIRMED, ALLOWED, Verdict.CANCELS),
        (replace(DECLINED, sequence=0), CONFIRMED, ALLOWED, Verdict.OUTDATED),
        (DECLINED, None, ALLOWED, Verdict.UNKNOWN_BOOKING),
        (DECLINED, CONFIRMED, None, Verdict.UNKNOWN_BOOKING),
        (DECLINED, CONFIRMED, a_type(), Verdict.NOT_ALLOWED),
        (replace(DECLINED, answers={"bob@x.y": "DECLINED"}), CONFIRMED, ALLOWED,
         Verdict.NOT_THE_CUSTOMER),
        (replace(DECLINED, answers={}), CONFIRMED, ALLOWED, Verdict.NOT_THE_CUSTOMER),
        (replace(DECLINED, answers={"": "DECLINED"}),
         replace(CONFIRMED, customer=Customer(display_name="Eve")), ALLOWED,
         Verdict.NOT_THE_CUSTOMER),
        *(
            (replace(DECLINED, answers={"eve@example.org": answer}), CONFIRMED, ALLOWED,
             Verdict.NOT_DECLINED)
            for answer in ("ACCEPTED", "TENTATIVE", "DELEGATED", "NEEDS-ACTION", "")
        ),
        *(
            (DECLINED, replace(CONFIRMED, status=status), ALLOWED, Verdict.ENDED)
            for status in (BookingStatus.CANCELLED, BookingStatus.DECLINED,
                           BookingStatus.COMPLETED, BookingStatus.NO_SHOW)
        ),
    ],
)  # fmt: skip
def test_a_reply_cancels_only_what_the_customer_has_declined_and_the_type_allows(
    reply, booking, type_, verdict
):
    assert judge(reply, booking, type_) is verdict
