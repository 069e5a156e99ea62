"""Mails as calendar programs send them when their user declines an invitation.

Written from the shape of what Gmail, Outlook and Apple's Calendar send: which parts, encodings,
parameters and properties there are, and how they are folded.
"""

from __future__ import annotations

import base64
import quopri
from uuid import UUID

BOOKING_ID = UUID("7f6b2c1e-58d4-4b6a-9c27-2f0d8f4f9a11")
UID = f"{BOOKING_ID}@demo.slotcast"

GMAIL_CALENDAR = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20300603T090000Z
DTEND:20300603T093000Z
DTSTAMP:20300601T081530Z
ORGANIZER;CN=Salon:mailto:bookings@salon.example
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};CN={attendee};X-NUM-GUESTS=0:mailto:{attendee}
CREATED:20300530T101010Z
DESCRIPTION:Visit
LAST-MODIFIED:20300601T081529Z
LOCATION:
SEQUENCE:{sequence}
STATUS:CONFIRMED
SUMMARY:Visit
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
GMAIL_MAIL = """MIME-Version: 1.0
Reply-To: Eve <{attendee}>
Sender: Google Calendar <calendar-notification@google.com>
Message-ID: <calendar-4d1c0b6e-0001@google.com>
Date: Sat, 01 Jun 2030 08:15:30 +0000
Subject: Declined: Visit @ Mon Jun 3, 2030 9am - 9:30am (UTC) (Salon)
From: Eve <{attendee}>
To: bookings@salon.example
Content-Type: multipart/mixed; boundary="000000000000a1b2c305f0e0d0c0"

--000000000000a1b2c305f0e0d0c0
Content-Type: multipart/alternative; boundary="000000000000a1b2c105f0e0d0be"

--000000000000a1b2c105f0e0d0be
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

RXZlIGhhcyBkZWNsaW5lZCB0aGlzIGludml0YXRpb24u

--000000000000a1b2c105f0e0d0be
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<html><body>Eve has declined this invitation.</body></html>

--000000000000a1b2c105f0e0d0be
Content-Type: text/calendar; charset="UTF-8"; method=REPLY
Content-Transfer-Encoding: 7bit

{calendar}
--000000000000a1b2c105f0e0d0be--

--000000000000a1b2c305f0e0d0c0
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

{encoded}
--000000000000a1b2c305f0e0d0c0--
"""

OUTLOOK_CALENDAR = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT={answer};CN="Example, Eve":MAILTO:{attendee}
COMMENT;LANGUAGE=de-DE:Leider verhindert. Grüße\\n
UID:{uid}
SUMMARY;LANGUAGE=de-DE:Abgelehnt: Visit
DTSTART;TZID=W. Europe Standard Time:20300603T110000
DTEND;TZID=W. Europe Standard Time:20300603T113000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20300601T081731Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:{sequence}
LOCATION;LANGUAGE=de-DE:
X-MICROSOFT-CDO-APPT-SEQUENCE:{sequence}
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
END:VEVENT
END:VCALENDAR
"""
OUTLOOK_MAIL = """Received: from AM0PR01.eurprd01.prod.outlook.com (2603:10a6::1)
\tby mx.salon.example with ESMTPS; Sat, 1 Jun 2030 08:17:33 +0000
From: "Example, Eve" <{attendee}>
To: "bookings@salon.example" <bookings@salon.example>
Subject: =?iso-8859-1?Q?Abgelehnt:_Visit_f=FCr_Eve?=
Thread-Topic: Visit
Date: Sat, 1 Jun 2030 08:17:31 +0000
Message-ID:
 <AM0PR01MB1234ABCDEF0123456789@AM0PR01MB1234.eurprd01.prod.outlook.com>
Content-Language: de-DE
X-MS-Has-Attach:
Content-Type: multipart/alternative;
\tboundary="_000_AM0PR01MB1234ABCDEF_"
MIME-Version: 1.0

--_000_AM0PR01MB1234ABCDEF_
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Leider verhindert. Gr=FC=DFe

--_000_AM0PR01MB1234ABCDEF_
Content-Type: text/calendar; charset="utf-8"; method=REPLY
Content-Transfer-Encoding: base64

{encoded}
--_000_AM0PR01MB1234ABCDEF_--
"""

APPLE_CALENDAR = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:REPLY
PRODID:-//Apple Inc.//macOS 15.5//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN="Eve";CUTYPE=INDIVIDUAL;EMAIL="{attendee}";PARTSTAT={answer};ROLE=REQ-PARTICIPANT:urn:uuid:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
CREATED:20300530T101010Z
DTEND:20300603T093000Z
DTSTAMP:20300601T082011Z
DTSTART:20300603T090000Z
LAST-MODIFIED:20300601T082011Z
ORGANIZER;CN="Salon":mailto:bookings@salon.example
SEQUENCE:{sequence}
SUMMARY:Visit
TRANSP:OPAQUE
UID:{uid}
END:VEVENT
END:VCALENDAR
"""
APPLE_MAIL = """From: Eve <{attendee}>
Content-Type: multipart/alternative;
 boundary="Apple-Mail=_1A2B3C4D-0000-4444-8888-1234567890AB"
Mime-Version: 1.0 (Mac OS X Mail 16.0)
Subject: Visit declined
Message-Id: <5B0C2D1E-1111-2222-3333-444455556666@example.org>
Date: Sat, 1 Jun 2030 10:20:11 +0200
To: bookings@salon.example
X-Mailer: iCal

--Apple-Mail=_1A2B3C4D-0000-4444-8888-1234567890AB
Content-Transfer-Encoding: 7bit
Content-Type: text/plain;
\tcharset=us-ascii

Eve has declined your invitation.
--Apple-Mail=_1A2B3C4D-0000-4444-8888-1234567890AB
Content-Transfer-Encoding: quoted-printable
Content-Type: text/calendar;
\tmethod=REPLY;
\tname=iCal-20300601-102011.ics;
\tcharset=utf-8

{encoded}
--Apple-Mail=_1A2B3C4D-0000-4444-8888-1234567890AB--
"""


def folded(text: str) -> str:
    """Fold long lines as iCalendar wants them, at 75 bytes."""
    lines = []
    for line in text.split("\n"):
        rest = line
        while len(rest) > 74:
            lines.append(rest[:74])
            rest = " " + rest[74:]
        lines.append(rest)
    return "\r\n".join(lines)


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def gmail(answer="DECLINED", *, uid=UID, sequence=0, attendee="eve@example.org") -> bytes:
    """Gmail: three alternatives, and the same calendar again as an attachment."""
    calendar = folded(
        GMAIL_CALENDAR.format(answer=answer, uid=uid, sequence=sequence, attendee=attendee)
    )
    encoded = base64.encodebytes(calendar.encode()).decode()
    plain = calendar.replace("\r", "")
    return crlf(GMAIL_MAIL.format(attendee=attendee, calendar=plain, encoded=encoded))


def outlook(answer="DECLINED", *, uid=UID, sequence=0, attendee="Eve@Example.org") -> bytes:
    """Outlook: the calendar is a base64 part, its MAILTO: in capitals, its zone a Windows one."""
    calendar = folded(
        OUTLOOK_CALENDAR.format(answer=answer, uid=uid, sequence=sequence, attendee=attendee)
    )
    encoded = base64.encodebytes(calendar.encode()).decode()
    return crlf(OUTLOOK_MAIL.format(attendee=attendee, encoded=encoded))


def apple(answer="DECLINED", *, uid=UID, sequence=0, attendee="eve@example.org") -> bytes:
    """Apple: quoted-printable, and the address may be only in a parameter."""
    calendar = folded(
        APPLE_CALENDAR.format(answer=answer, uid=uid, sequence=sequence, attendee=attendee)
    )
    encoded = quopri.encodestring(calendar.replace("\r", "").encode()).decode()
    return crlf(APPLE_MAIL.format(attendee=attendee, encoded=encoded))


PROGRAMS = {"Gmail": gmail, "Outlook": outlook, "Apple": apple}


def bare(calendar: str, *, headers: str = "") -> bytes:
    """Return a mail that is nothing but a calendar."""
    return crlf(
        f"""From: eve@example.org
To: bookings@salon.example
Message-ID: <bare@example.org>
Content-Type: text/calendar; charset=utf-8; method=REPLY
{headers}
{calendar}"""
    )


def a_calendar(*, method="REPLY", event=None) -> str:
    """Return a calendar with an event of these lines, or with a reply."""
    lines = event or (
        f"UID:{UID}",
        "SEQUENCE:0",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:eve@example.org",
        "DTSTAMP:20300601T081530Z",
    )
    return "\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )
