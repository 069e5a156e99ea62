"""What somebody types makes no header, no property and no tag of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from service.notify.letters.composing import BadLetter, compose
from service.notify.letters.facts import Mailbox
from tests.letters import samples
from tests.letters.hostile import CORPUS, TEXTS, check
from tests.letters.reading import read

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_a_text_that_means_harm_adds_nothing_wherever_it_stands(text):
    check(text, by_both=True)


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_text_leaves_one_event_with_the_expected_properties_and_headers(text):
    check(text)


def test_it_is_so_where_assertions_are_switched_off():
    ended = subprocess.run(
        [sys.executable, "-O", "-m", "tests.letters.hostile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.endswith("-O: True\n")


def test_a_name_that_would_be_decoded_into_a_header_is_shown_as_it_was_typed():
    name = "x=?UTF-8?Q?=0A?=Bcc: a@b"
    letter = samples.a_letter(to=Mailbox(address="ada@example.com", name=name))

    mail = read(compose(letter, samples.an_envelope()).data)

    (to,) = mail.message["To"].addresses
    assert to.addr_spec == "ada@example.com"
    assert to.display_name == "x= ?UTF-8?Q?=0A?=Bcc: a@b"
    assert mail.message["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com, evil@example.org",
        "ada@example.com\r\nBcc: evil@example.org",
        "ada@example.com\nRCPT TO:<evil@example.org>",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        '"ada lovelace"@example.com',
        "ada@exa mple.com",
        "ada@example..com",
        "ada@",
        "ada",
        "",
        "ädä@example.com",
        "ada@example.com\x00",
    ],
)
def test_an_address_that_is_not_plainly_one_is_refused(address):
    letter = samples.a_letter(to=Mailbox(address=address, name="Ada"))

    with pytest.raises(BadLetter) as refused:
        compose(letter, samples.an_envelope())

    assert "ada" not in str(refused.value), "what is logged names nobody"


def test_a_long_text_is_cut_and_the_link_behind_it_is_not():
    answers = tuple((f"question {number}", "x" * 5000) for number in range(30))
    letter = samples.a_staff_letter(answers=answers)
    linked = samples.a_letter(host=samples.a_host(location="y" * 5000))

    data = compose(letter, samples.an_envelope()).data

    assert len(data) < 300_000
    assert len(read(data).event.description) < 5000
    assert samples.LINK in read(compose(linked, samples.an_envelope()).data).event.description
    assert max(map(len, data.split(b"\r\n"))) <= 998
