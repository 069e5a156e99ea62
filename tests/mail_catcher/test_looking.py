"""What the page of the catcher, and programs, are told of letters."""

import aiohttp
import pytest

from service.mail_catcher import web
from service.mail_catcher.calendar_words import calendar_facts
from service.mail_catcher.catcher import running_mail_catcher
from tests.mail_catcher.test_catching import a_letter, send

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:1@salon.slotcast
SEQUENCE:2
DTSTAMP:20300101T090000Z
DTSTART;TZID=Europe/Berlin:20300701T100000
DTEND;TZID=Europe/Berlin:20300701T103000
SUMMARY:Haircut
ORGANIZER;CN=Demo salon:mailto:hello@salon.example
ATTENDEE;CN=Kim;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:kim@example.org
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Haircut
TRIGGER:-PT90M
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def an_invitation():
    message = a_letter("Booked")
    message.add_alternative("<p>Booked</p>", subtype="html")
    message.add_alternative(EVENT, subtype="calendar", params={"method": "REQUEST"})
    data = EVENT.encode()
    message.add_attachment(data, maintype="text", subtype="calendar", filename="booked.ics")
    return message


@pytest.fixture
async def catcher():
    async with running_mail_catcher() as catcher:
        yield catcher


@pytest.fixture
async def http(catcher):
    async with aiohttp.ClientSession(catcher.http_url) as session:
        yield session


async def read(http, path):
    async with http.get(path) as answer:
        return await answer.json()


async def test_letters_are_listed_newest_first(catcher, http):
    for subject in ("one", "two"):
        await send(catcher, a_letter(subject))

    told = await read(http, "/letters.json")

    assert told["smtpUrl"] == catcher.smtp_url
    assert [each["subject"] for each in told["letters"]] == ["two", "one"]


async def test_all_parts_of_a_letter_can_be_looked_at(catcher, http):
    await send(catcher, an_invitation())

    letter = await read(http, "/letters/1.json")

    assert letter["text"].strip() == "Bis bald"
    assert letter["html"].strip() == "<p>Booked</p>"
    assert letter["method"] == "REQUEST"
    assert ["subject", "Booked"] in letter["headers"]
    (attachment,) = letter["attachments"]
    assert attachment["name"] == "booked.ics"
    assert [each["places"] for each in letter["calendars"]] == [["in the letter"], ["booked.ics"]]
    assert all("BEGIN:VEVENT" in each["raw"] for each in letter["calendars"])


def test_a_calendar_is_told_in_words():
    assert calendar_facts(EVENT) == [
        ("Method", "REQUEST: put it into the calendar, or change it there"),
        ("What", "Haircut"),
        ("From", "Monday, 01 July 2030, 10:00 Europe/Berlin (UTC+0200)"),
        ("Until", "Monday, 01 July 2030, 10:30 Europe/Berlin (UTC+0200)"),
        ("Organiser", "Demo salon <hello@salon.example>"),
        ("UID", "1@salon.slotcast"),
        ("Sequence", "2"),
        ("Attendee", "Kim <kim@example.org> (NEEDS-ACTION, an answer is asked for)"),
        ("Alarm", "1 h 30 min before the start"),
    ]


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR", "nonsense", EVENT.replace("END:", "E:")])
def test_a_calendar_that_is_damaged_is_told_to_be(text):
    (first, *_) = calendar_facts(text)

    assert first[0] == "Damaged"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"no header at all",
        b"Subject: =?utf-8?q?=ff?=\r\nFrom: <<>>,;:@\r\n\r\nx",
        b"Content-Type: text/plain; charset=nobody-knows\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/calendar",
        b"Content-Type: text/calendar; method\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Message-ID: <\r\nTo: =?\r\nContent-Disposition: attachment; filename*=x\r\n\r\n",
    ],
)
async def test_a_letter_that_is_damaged_is_shown_as_far_as_it_can_be_read(catcher, http, raw):
    catcher._letters.add("a@example.com", ("b@example.org",), raw)

    (listed,) = (await read(http, "/letters.json"))["letters"]
    letter = await read(http, "/letters/1.json")

    assert listed["bytes"] == len(raw)
    assert letter["sender"] == "a@example.com"


async def test_a_letter_is_downloaded_as_it_came(catcher, http):
    await send(catcher, an_invitation())

    async with http.get("/letters/1.eml") as answer:
        assert answer.content_type == "message/rfc822"
        assert answer.headers["content-disposition"] == 'attachment; filename="letter-1.eml"'
        assert await answer.read() == catcher.letters[0].raw


async def test_letters_are_deleted_on_request(catcher, http):
    await send(catcher, a_letter())

    async with http.delete("/letters") as answer:
        assert answer.status == 204

    assert catcher.letters == ()
    async with http.get("/letters/1.json") as answer:
        assert answer.status == 404


async def test_a_page_is_told_when_letters_come_and_go(catcher, http):
    async with http.get("/changes") as stream:
        assert b'"count": 0' in await stream.content.readuntil(b"\n\n")
        await send(catcher, a_letter())
        assert b'"count": 1' in await stream.content.readuntil(b"\n\n")
        catcher.clear()
        assert b'"count": 0' in await stream.content.readuntil(b"\n\n")


async def test_only_so_many_pages_are_told_of_changes(catcher, http, monkeypatch):
    monkeypatch.setattr(web, "STREAMS_MAX", 1)
    async with http.get("/changes") as stream:
        await stream.content.readuntil(b"\n\n")
        async with http.get("/changes") as another:
            assert another.status == 503


async def test_the_page_runs_no_script_but_its_own_and_asks_nobody_else(http):
    async with http.get("/") as answer:
        policy = answer.headers["content-security-policy"]

    assert answer.status == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_site_whose_name_was_made_to_lead_here_is_told_nothing(catcher, http):
    await send(catcher, a_letter())

    async with http.get("/letters.json", headers={"host": "rebound.example"}) as answer:
        assert answer.status == 403
        assert "Grüße" not in await answer.text()


async def test_it_ends_although_a_page_listens():
    async with aiohttp.ClientSession() as session:
        async with running_mail_catcher() as catcher:
            stream = await session.get(f"{catcher.http_url}/changes")
            await stream.content.readuntil(b"\n\n")

        with pytest.raises(aiohttp.ClientPayloadError):
            await stream.content.read()
        stream.close()
