"""Texts that mean harm, in every place of a letter: `python -O -m tests.letters.hostile`."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.booking import Customer
from service.notify.letters.composing import compose
from service.notify.letters.facts import LetterKind, Mailbox
from tests.letters import samples
from tests.letters.reading import Wrong, check_nothing_was_added, read

MADE_UP = 40
ADDED = "ATTENDEE:mailto:evil@example.org"
CORPUS = [
    "x=?UTF-8?Q?=0A?=Bcc: a@b",
    "=?utf-8?b?DQpCY2M6IGFAYg==?=",
    "=?utf-8?q?=0D=0ABcc=3A_evil=40example.org?=",
    "= ?utf-8?q?=0D=0ABcc=3A_evil=40example.org?=",
    "==??utf-8?q?=0ABcc:_a@b?=",
    "a\r\nBcc: evil@example.org",
    "a\nBcc: evil@example.org",
    "a\rBcc: evil@example.org",
    "a\r\n\r\nA second body",
    f"a\r\n{ADDED}",
    f"a\n{ADDED}",
    f"a\r{ADDED}",
    f"a\u2028{ADDED}",
    f"a\u2029{ADDED}",
    f"a\x85{ADDED}",
    f"a\x0b{ADDED}",
    f"a\x0c{ADDED}",
    f"a\x1c{ADDED}",
    f"a\\n{ADDED}",
    f'a":mailto:evil@example.org\r\n{ADDED}',
    'a";RSVP=TRUE;X-EVIL="b',
    "a;RSVP=TRUE;X-EVIL=b:mailto:evil@example.org",
    "a^n^'b",
    "a\\;b\\,c\\\\",
    "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2",
    "END:VCALENDAR",
    "a\x00b",
    "a\x1b[31mb",
    "\u202egnihton",
    "\ud800",
    "\ufeff",
    "a, b <evil@example.org>",
    '"a" <evil@example.org>, b',
    "a" * 2000,
    "ä" * 2000,
    "{business.__class__} {0} {} %s {{ 7 * 7 }} {% raw %}",
    "<script>alert(1)</script><img src='https://evil.example/x.png'>",
    "' onload='x",
    "",
    " ",
]

CHARACTERS = st.characters(blacklist_categories=()) | st.sampled_from(
    "\r\n\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\"';:,\\=?<>@^{}%\u202e\ud800"
)
TEXTS = st.text(CHARACTERS, max_size=120) | st.sampled_from(CORPUS)


def letters_with(text):
    """Return letters that have a text wherever somebody can put one."""
    host = samples.a_host(name=text or "Salon", location=text or "Here", phone="+49 30 1")
    title = {"title": text, "calendars": (text, "Anna")}
    to = Mailbox(address="ada@example.com", name=text)
    yield samples.a_letter(appointment=title, host=host, to=to)
    yield samples.a_letter(LetterKind.CANCELLED, host=host, to=to, reason=text)
    yield samples.a_staff_letter(
        host=host,
        to=Mailbox(address="anna@example.com", name=text),
        customer=Customer(display_name=text, email="ada@example.com", phone=text),
        answers=((text, text), ("Note", text)),
    )


def check(text, *, by_both=False):
    """See that a text adds nothing to any letter, and starts nothing in its HTML."""
    for letter in letters_with(text):
        mail = read(compose(letter, samples.an_envelope()).data, by_both=by_both)
        check_nothing_was_added(mail)
        if "<script" in mail.html or "<img" in mail.html or "onload='" in mail.html:
            raise Wrong("its HTML has what somebody typed")


@settings(max_examples=MADE_UP, deadline=None, database=None, derandomize=True)
@given(TEXTS)
def check_made_up(text):
    """Check texts that Hypothesis makes up."""
    check(text)


def main():
    """Check all of it; assertions are switched off where Python runs with -O."""
    for text in CORPUS:
        check(text)
    check_made_up()
    sys.stdout.write(
        f"{len(CORPUS)} texts and {MADE_UP} made up: nothing added; -O: {not __debug__}\n"
    )


if __name__ == "__main__":
    main()
