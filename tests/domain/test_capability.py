"""Capabilities: what a token says, and that nobody else can write one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.booking import BookingStatus
from service.domain.capability import (
    TICKET_PREFIX,
    TOKEN_CHARACTERS_MAX,
    TOKEN_PREFIX,
    Capability,
    CapabilityKind,
    booking_capability,
    capability_key,
    capability_url,
    handoff_capability,
    offer_capability,
    read_capability,
    ticket_url,
    why_booking_ended,
    why_waiting_ended,
    write_capability,
)
from service.domain.waitlist import EntryStatus
from tests.domain.strategies import QUICK

KEY = capability_key(b"a secret that all servers share")
BOOKING = UUID("7d444840-9dc0-41d1-a245-5ffdce74fad2")
END = datetime(2030, 6, 3, 10, 30, tzinfo=UTC)
CAPABILITY = booking_capability("demo", BOOKING, END)
TOKEN = write_capability(KEY, CAPABILITY)

capabilities = st.builds(
    Capability,
    business_id=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True),
    kind=st.sampled_from(CapabilityKind),
    id=st.uuids(),
    not_after=st.integers(0, 250_000_000_000).map(lambda seconds: END + timedelta(seconds=seconds)),
)


@QUICK
@given(capabilities)
def test_a_token_says_what_was_written_into_it(capability):
    token = write_capability(KEY, capability)

    assert read_capability(KEY, token) == capability
    assert len(token) <= TOKEN_CHARACTERS_MAX
    is_ticket = capability.kind is CapabilityKind.HANDOFF
    assert token.startswith(TICKET_PREFIX if is_ticket else TOKEN_PREFIX)


def test_a_ticket_is_no_link_and_a_link_no_ticket():
    ticket = write_capability(KEY, handoff_capability("demo", BOOKING, END))

    assert read_capability(KEY, ticket.replace(TICKET_PREFIX, TOKEN_PREFIX)) is None
    assert read_capability(KEY, TOKEN.replace(TOKEN_PREFIX, TICKET_PREFIX)) is None


def test_the_page_of_a_ticket_has_an_address_where_ours_is_known():
    assert ticket_url("https://book.example.org/", "t") == "https://book.example.org/book/#t"
    assert ticket_url("", "t") == ""


def test_the_same_capability_is_always_the_same_token():
    assert write_capability(KEY, booking_capability("demo", BOOKING, END)) == TOKEN


def test_a_link_fits_on_one_line_and_its_token_follows_a_hash():
    url = capability_url("https://book.example.org/", TOKEN)

    assert url == f"https://book.example.org/manage/#{TOKEN}"
    assert len(url) < 120


def test_a_booking_keeps_its_link_when_it_is_moved_to_a_later_day():
    assert CAPABILITY.not_after >= END + timedelta(days=365)


def test_an_offer_can_be_taken_late_but_not_for_ever():
    capability = offer_capability("demo", BOOKING, END)

    assert END + timedelta(minutes=2) < capability.not_after < END + timedelta(days=1)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_token_that_is_cut_off_is_none(length):
    assert read_capability(KEY, TOKEN[:length]) is None


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_a_token_of_which_any_character_is_another_is_none(place):
    for other in "Aq_-9":
        altered = TOKEN[:place] + other + TOKEN[place + 1 :]
        assert altered == TOKEN or read_capability(KEY, altered) is None


@QUICK
@given(st.text(max_size=2 * TOKEN_CHARACTERS_MAX))
def test_no_other_text_is_a_token(text):
    assert read_capability(KEY, text) is None
    assert read_capability(KEY, TOKEN_PREFIX + text) is None
    assert read_capability(KEY, TOKEN + text) == (None if text else CAPABILITY)


def test_a_token_of_another_secret_is_none():
    other = write_capability(capability_key(b"another secret"), CAPABILITY)

    assert read_capability(KEY, other) is None


def test_the_secret_of_other_tokens_does_not_sign_capabilities():
    secret = b"a secret that all servers share"

    assert read_capability(KEY, write_capability(secret, CAPABILITY)) is None


@pytest.mark.parametrize("status", BookingStatus)
def test_a_capability_ends_with_its_booking(status):
    stands = status in {BookingStatus.PENDING, BookingStatus.CONFIRMED}

    assert why_booking_ended(status, END, END - timedelta(seconds=1)) == (
        None if stands else status.upper()
    )
    assert why_booking_ended(status, END, END) == ("PASSED" if stands else status.upper())


@pytest.mark.parametrize("status", EntryStatus)
def test_a_capability_ends_with_the_waiting(status):
    stands = status in {EntryStatus.WAITING, EntryStatus.OFFERED}
    ended = None if stands else status.upper()

    assert why_waiting_ended(status) == ended


def test_two_capabilities_act_as_two_and_as_no_api_key():
    others = {
        CAPABILITY.principal_id,
        offer_capability("demo", BOOKING, END).principal_id,
        booking_capability("demo", UUID(int=1), END).principal_id,
    }

    assert len(others) == 3
    assert all("." in each for each in others)
