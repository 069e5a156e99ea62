"""Tokens: what a client is given to come back with, and cannot make or change."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import InvalidPageToken, InvalidResumeToken
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.tokens import ResumeToken, Tokens, filter_hash
from tests.builders import NOW, minutes

TOKENS = Tokens(b"s" * 32)
QUERY = SlotQuery(business_id="demo", window=Interval(NOW, NOW + timedelta(days=7)))


def a_token(**changes):
    values = {
        "business_id": "demo",
        "epoch": "e1",
        "revision": 7,
        "as_of": NOW,
        "filter_hash": filter_hash(QUERY),
    }
    return ResumeToken(**{**values, **changes})


@given(
    revision=st.integers(0, 2**62),
    micros=st.integers(0, 10**15),
    epoch=st.text(alphabet="0123456789abcdef-", max_size=36),
)
def test_a_token_says_again_what_was_put_in_it(revision, micros, epoch):
    token = a_token(revision=revision, as_of=NOW + timedelta(microseconds=micros), epoch=epoch)

    assert TOKENS.read_resume(TOKENS.resume(token), "demo") == token


@given(bit=st.integers(min_value=0))
def test_a_token_with_an_altered_bit_is_refused(bit):
    text = bytearray(TOKENS.resume(a_token()).encode())
    text[bit // 7 % len(text)] ^= 1 << bit % 7

    with pytest.raises(InvalidResumeToken):
        TOKENS.read_resume(text.decode(), "demo")


@given(st.text(max_size=2000))
def test_text_that_is_no_token_is_refused(text):
    with pytest.raises(InvalidResumeToken):
        TOKENS.read_resume(text, "demo")
    with pytest.raises(InvalidPageToken):
        TOKENS.read_page(text, "hash")


def test_a_token_of_another_business_is_refused():
    with pytest.raises(InvalidResumeToken):
        TOKENS.read_resume(TOKENS.resume(a_token(business_id="other")), "demo")


def test_a_token_signed_with_another_secret_is_refused():
    with pytest.raises(InvalidResumeToken):
        TOKENS.read_resume(Tokens(b"t" * 32).resume(a_token()), "demo")


def test_a_page_token_is_no_resume_token():
    token = a_token()
    page = TOKENS.page("demo", ["e1", "7", "0", token.filter_hash])

    with pytest.raises(InvalidResumeToken):
        TOKENS.read_resume(page, "demo")


def test_a_page_token_belongs_to_its_query():
    text = TOKENS.page("hash", ["2030-06-03T09:00:00Z", "visit"])

    assert TOKENS.read_page(text, "hash") == ("2030-06-03T09:00:00Z", "visit")
    with pytest.raises(InvalidPageToken):
        TOKENS.read_page(text, "another")


def test_a_token_is_as_short_as_the_api_promises():
    token = a_token(business_id="b" * 40, epoch="e" * 36, revision=2**62)

    assert len(TOKENS.resume(token)) <= 1024


def test_two_queries_that_ask_the_same_have_the_same_filter():
    one = SlotQuery(business_id="demo", window=QUERY.window, type_ids=("a", "b"))
    two = SlotQuery(business_id="demo", window=QUERY.window, type_ids=("b", "a", "b"))

    assert filter_hash(one) == filter_hash(two)


@pytest.mark.parametrize(
    "changes",
    [
        {"business_id": "other"},
        {"window": Interval(NOW, NOW + timedelta(days=8))},
        {"type_ids": ("visit",)},
        {"calendar_ids": ("visit",)},
        {"duration": minutes(30)},
        {"holder_key": "somebody"},
    ],
)
def test_two_queries_that_ask_something_else_have_different_filters(changes):
    values = {"business_id": "demo", "window": QUERY.window}

    assert filter_hash(SlotQuery(**{**values, **changes})) != filter_hash(QUERY)
