"""A letter as the bytes of a mail (RFC 5322), with its event as RFC 6047 wants it.

multipart/mixed
├── multipart/alternative
│   ├── text/plain
│   ├── text/html
│   └── text/calendar; method=…     last: what a program understands best
└── application/ics                 the same, for those that want a file
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from service.feeds.text import clean_line
from service.notify.letters.content import NAME_CHARACTERS_MAX, Content, content_of
from service.notify.letters.facts import Envelope, Letter, Mailbox
from service.notify.letters.ics import Attachment, ics_of
from service.notify.letters.rendering import html_of, text_of

ATTACHMENT_NAME = "appointment.ics"

# "=?" begins an encoded word: left as it is, what somebody typed would be decoded by the reader.
_ENCODED_WORD = re.compile(r"=(?=\?)")
_BLANKS = re.compile(r"\s+")
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_POLICY = SMTP.clone(cte_type="7bit")


class BadLetter(Exception):
    """It cannot be a mail; says why, and names nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """What a mail server is handed."""

    sender: str
    recipient: str
    message_id: str
    data: bytes


def compose(letter: Letter, envelope: Envelope) -> Mail:
    """Write a letter; raise BadLetter where its address is none, or a header would be another's."""
    content = content_of(letter)
    headers = _headers(letter, content, envelope)
    message = EmailMessage(policy=_POLICY)
    ics = ics_of(letter, content, envelope)
    _fill(message, content, ics)
    # After the parts: what begins with Content- would become a header of the first of them.
    for name, value in headers.items():
        message[name] = value
    data = message.as_bytes()
    _check(data, headers, letter)
    return Mail(
        sender=envelope.sender.address,
        recipient=letter.to.address,
        message_id=envelope.message_id,
        data=data,
    )


def _headers(letter: Letter, content: Content, envelope: Envelope) -> dict[str, str]:
    headers = {
        "From": _mailbox(Mailbox(address=envelope.sender.address, name=content.sender_name)),
        "To": _mailbox(letter.to),
        "Subject": _header_text(content.subject),
        "Date": format_datetime(envelope.date),
        "Message-ID": envelope.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": content.speech.tag,
    }
    if letter.host.email:
        headers["Reply-To"] = _mailbox(Mailbox(address=letter.host.email, name=content.sender_name))
    if envelope.first_message_id and envelope.first_message_id != envelope.message_id:
        headers["In-Reply-To"] = headers["References"] = envelope.first_message_id
    return headers


def _mailbox(mailbox: Mailbox) -> str:
    return str(_address(mailbox))


def _address(mailbox: Mailbox) -> Address:
    if not _ADDRESS.fullmatch(mailbox.address) or ".." in mailbox.address:
        raise BadLetter("the address is none that mail can be sent to")
    name = _header_text(clean_line(mailbox.name, NAME_CHARACTERS_MAX))
    return Address(display_name=name, addr_spec=mailbox.address)


def _header_text(text: str) -> str:
    return _ENCODED_WORD.sub("= ", clean_line(text))


def _fill(message: EmailMessage, content: Content, ics: Attachment | None) -> None:
    message.set_content(text_of(content), cte="quoted-printable")
    message.add_alternative(html_of(content), subtype="html", cte="quoted-printable")
    if ics is None:
        return
    message.add_alternative(
        ics.data.decode(), subtype="calendar", cte="base64", params={"method": ics.method}
    )
    message.add_attachment(
        ics.data, maintype="application", subtype="ics", filename=ATTACHMENT_NAME
    )


def _check(data: bytes, headers: dict[str, str], letter: Letter) -> None:
    """Read the mail back, and see that it has the headers that were meant, and no other."""
    read = email.message_from_bytes(data, policy=SMTP)
    meant = [*headers, "MIME-Version", "Content-Type"]
    if sorted(name.lower() for name, _ in read.items()) != sorted(map(str.lower, meant)):
        raise BadLetter("its headers are not those that were meant")
    if [_bare(each) for each in read["To"].addresses] != [_bare(_address(letter.to))]:
        raise BadLetter("its address is not the one that was meant")


def _bare(address: Address) -> tuple[str, str]:
    """Return it without blanks: Python reads some between the parts of a long name."""
    return address.addr_spec, _BLANKS.sub("", address.display_name)
