"""What is sent to the catcher is kept as it came, within its limits."""

import asyncio
from contextlib import AsyncExitStack
from email.message import EmailMessage

import aiosmtplib
import pytest

from service.mail_catcher import letters, smtp
from service.mail_catcher.catcher import running_mail_catcher
from service.mail_catcher.smtp import Guard


def address(catcher):
    host, _, port = catcher.smtp_url.removeprefix("smtp://").rpartition(":")
    return {"hostname": host, "port": int(port), "start_tls": False}


def a_letter(subject="Grüße", text="Bis bald\n"):
    message = EmailMessage()
    message["From"] = "salon@example.com"
    message["To"] = "kim@example.org"
    message["Subject"] = subject
    message.set_content(text)
    return message


async def send(catcher, message, **how):
    return await aiosmtplib.send(message, **address(catcher), **how)


async def test_a_letter_is_kept_byte_by_byte_with_who_it_came_from_and_went_to():
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n.a dot\r\nend\r\n"
    async with running_mail_catcher() as catcher:
        await aiosmtplib.send(
            raw, sender="a@example.com", recipients=["b@example.org"], **address(catcher)
        )

        (letter,) = catcher.letters

    assert letter.raw == raw
    assert letter.subject == "Grüße"
    assert (letter.sender, letter.recipients) == ("a@example.com", ("b@example.org",))


async def test_who_waits_for_a_letter_gets_the_first_that_is_wanted():
    async with running_mail_catcher() as catcher:
        waiting = asyncio.create_task(catcher.letter(lambda letter: letter.subject == "two"))
        for subject in ("one", "two"):
            await send(catcher, a_letter(subject))

        assert (await waiting).number == 2
        with pytest.raises(TimeoutError):
            await catcher.letter(lambda letter: letter.subject == "three", seconds_max=0.01)


async def test_the_oldest_letters_go_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(letters, "LETTERS_MAX", 3)
    async with running_mail_catcher() as catcher:
        for number in range(5):
            await send(catcher, a_letter(str(number)))

        assert [letter.subject for letter in catcher.letters] == ["2", "3", "4"]


async def test_the_oldest_letters_go_where_they_are_too_large_together(monkeypatch):
    monkeypatch.setattr(letters, "BYTES_MAX", 5_000)
    async with running_mail_catcher() as catcher:
        for number in range(4):
            await send(catcher, a_letter(str(number), "x" * 70 + "\n" + ("y" * 70 + "\n") * 25))

        assert [letter.subject for letter in catcher.letters] == ["2", "3"]


async def test_a_letter_that_would_fill_more_than_all_of_it_is_refused(monkeypatch):
    monkeypatch.setattr(smtp, "BYTES_MAX", 2_000)
    async with running_mail_catcher() as catcher:
        with pytest.raises(aiosmtplib.SMTPException):
            await send(catcher, a_letter(text=("z" * 70 + "\n") * 100))

        assert catcher.letters == ()


async def test_more_connections_than_there_may_be_are_told_to_come_later(monkeypatch):
    monkeypatch.setattr(smtp, "CONNECTIONS_MAX", 2)
    async with running_mail_catcher() as catcher, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(aiosmtplib.SMTP(**address(catcher)))

        with pytest.raises(aiosmtplib.SMTPConnectError):
            await aiosmtplib.SMTP(**address(catcher)).connect()


async def test_with_a_login_nobody_else_can_send():
    async with running_mail_catcher(guard=Guard(login=("salon", "secret"))) as catcher:
        with pytest.raises(aiosmtplib.SMTPSenderRefused):
            await send(catcher, a_letter())
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await send(catcher, a_letter(), username="salon", password="wrong")
        await send(catcher, a_letter(), username="salon", password="secret")

        assert len(catcher.letters) == 1


async def test_it_ends_although_a_sender_stays():
    async with running_mail_catcher() as catcher:
        sender = aiosmtplib.SMTP(**address(catcher))
        await sender.connect()

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sender.noop()
