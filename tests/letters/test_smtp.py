"""Handing letters to a mail server: what is later, what is never, and how long it may take."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.mail_catcher.letters import Letters
from service.mail_catcher.smtp import Guard, listening
from service.notify.delivery import Busy, GiveUp, TryLater
from service.notify.letters import smtp
from service.notify.letters.composing import Mail
from service.notify.letters.smtp import MailServer, Postbox
from tests.letters.mail_server import DIE, DIE_HALFWAY, STALL, a_mail_server

MAIL = Mail(
    sender="bookings@slotcast.example",
    recipient="ada@example.com",
    message_id="<1@slotcast.example>",
    data=b"Subject: Hello\r\n\r\n.a line that begins with a dot\r\n..two\r\n" + b"x\r\n" * 50,
)


def a_postbox(server, **options):
    return Postbox(MailServer.from_url(server.url), **options)


async def test_a_letter_arrives_as_it_is():
    async with a_mail_server() as server:
        await a_postbox(server).post(MAIL)

    assert server.letters == [MAIL.data]


@pytest.mark.parametrize(
    "answers",
    [
        {"connect": "421 too busy"},
        {"connect": "554 not for you"},
        {"connect": DIE},
        {"EHLO": DIE},
        {"MAIL": "451 later"},
        {"MAIL": "550 this sender may not"},
        {"MAIL": DIE},
        {"RCPT": "450 greylisted"},
        {"RCPT": DIE},
        {"DATA": "451 later"},
        {"DATA": DIE},
        {"letter": "452 no room"},
        {"letter": DIE},
        {"letter": DIE_HALFWAY},
    ],
    ids=str,
)
async def test_a_server_that_cannot_or_will_not_now_is_asked_later(answers):
    async with a_mail_server(**answers) as server:
        with pytest.raises(TryLater) as later:
            await a_postbox(server).post(MAIL)

    assert "ada" not in later.value.reason, "what is kept names nobody"


@pytest.mark.parametrize(
    "answers",
    [{"RCPT": "550 no such <ada@example.com>"}, {"DATA": "554 no"}, {"letter": "554 no"}],
    ids=str,
)
async def test_a_refusal_of_the_address_or_the_letter_is_final(answers):
    async with a_mail_server(**answers) as server:
        with pytest.raises(GiveUp) as never:
            await a_postbox(server).post(MAIL)

    assert server.letters == []
    assert "ada" not in never.value.reason


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "letter"])
async def test_a_server_that_stalls_is_left_in_bounded_time(step):
    async with a_mail_server(**{step: STALL}) as server:
        with pytest.raises(TryLater, match="in time"):
            await a_postbox(server, letter_seconds_max=0.3).post(MAIL)


@pytest.mark.parametrize("answer", [STALL, DIE, "500 what?"])
async def test_a_letter_that_was_taken_is_sent_whatever_comes_of_the_goodbye(answer, monkeypatch):
    monkeypatch.setattr(smtp, "QUIT_SECONDS_MAX", 0.2)
    async with a_mail_server(QUIT=answer) as server:
        await a_postbox(server).post(MAIL)

    assert server.letters == [MAIL.data]


async def test_no_server_at_all_is_later():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        with pytest.raises(TryLater, match="reached"):
            await Postbox(MailServer.from_url(f"smtp://127.0.0.1:{port}")).post(MAIL)


async def test_so_many_connections_and_no_more_are_open_at_a_time(monkeypatch):
    monkeypatch.setattr(smtp, "TURN_SECONDS_MAX", 0.05)
    async with a_mail_server(RCPT=STALL) as server:
        postbox = a_postbox(server)
        posting = [asyncio.create_task(postbox.post(MAIL)) for _ in range(smtp.CONNECTIONS_MAX)]
        await server.until(lambda: server.connections == smtp.CONNECTIONS_MAX)

        with pytest.raises(Busy):
            await postbox.post(MAIL)

        assert server.connections == smtp.CONNECTIONS_MAX
        for task in posting:
            task.cancel()
        await asyncio.gather(*posting, return_exceptions=True)
        server.answers.clear()
        await postbox.post(MAIL)


LOCALHOST = Path(__file__).with_name("localhost.pem")
"""A certificate that it has signed itself, with its key."""


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_letters_go_by_tls_with_a_login(scheme):
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(LOCALHOST)
    trusting = ssl.create_default_context(cafile=LOCALHOST)
    caught = Letters(lambda: datetime(2030, 6, 3, tzinfo=UTC))
    guard = Guard(tls=own, tls_at_once=scheme == "smtps", login=("user", "pass:word"))

    async with listening(caught, ("127.0.0.1", 0), guard) as (_, port):
        url = f"{scheme}://user:pass%3Aword@localhost:{port}"
        await Postbox(MailServer.from_url(url), tls=trusting).post(MAIL)

        wrong = MailServer.from_url(f"{scheme}://user:wrong@localhost:{port}")
        with pytest.raises(TryLater, match="535"):
            await Postbox(wrong, tls=trusting).post(MAIL)
        with pytest.raises(TryLater, match="reached"):
            await Postbox(MailServer.from_url(url)).post(MAIL)

    assert [letter.raw for letter in caught.kept] == [MAIL.data]


def test_a_url_says_where_and_how():
    plain = MailServer.from_url("smtp://mail.example.com")
    tls = MailServer.from_url("smtps://ada%40example.com:p%2Fw@mail.example.com")
    starttls = MailServer.from_url("smtp+starttls://mail.example.com:2525")

    assert (plain.host, plain.port, plain.use_tls, plain.use_starttls) == (
        "mail.example.com",
        25,
        False,
        False,
    )
    assert (tls.port, tls.use_tls, tls.username, tls.password) == (
        465,
        True,
        "ada@example.com",
        "p/w",
    )
    assert (starttls.port, starttls.use_starttls) == (2525, True)
    assert "p/w" not in repr(tls)


@pytest.mark.parametrize(
    "url", ["http://mail.example.com", "smtp://", "smtp://u:p@mail.example.com"]
)
def test_a_url_that_is_none_or_would_tell_a_password_is_refused(url):
    with pytest.raises(ValueError, match=r"must be|would send"):
        MailServer.from_url(url)
