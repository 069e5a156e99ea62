"""Texts of strangers in files: none of them begins a property, whoever reads the file."""

import subprocess
import sys

import icalendar
import pytest

from service.feeds.text import clean_line, clean_text

LINE_ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"]
CONTROLS = [chr(code) for code in (*range(9), 9, *range(14, 32), *range(127, 160)) if code != 0x85]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_whatever_a_program_takes_for_the_end_of_a_line_is_a_newline_or_a_space(end):
    assert clean_text(f"a{end}BEGIN:VEVENT") == "a\nBEGIN:VEVENT"
    assert clean_line(f"a{end}BEGIN:VEVENT") == "a BEGIN:VEVENT"


@pytest.mark.parametrize("control", CONTROLS)
def test_no_control_is_left(control):
    assert clean_text(f"a{control}b") == "a b"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\ufeff", "\ud800"])
def test_nothing_is_left_that_turns_the_reading_around_or_is_no_character(mark):
    assert clean_text(f"a{mark}b") == "a b"


def test_a_text_that_is_fit_is_left_as_it_is():
    text = "Café, «Ünïcode» 漢字 🙂\nzweite Zeile; x=?UTF-8?Q?=0A?=Bcc: a@b"

    assert clean_text(text) == text
    assert clean_line(text) == text.replace("\n", " ")


def test_a_long_text_is_cut_where_it_says_so():
    assert clean_text("a" * 1001) == "a" * 999 + "…"
    assert clean_line("a" * 20, 10) == "a" * 9 + "…"
    assert clean_line(" \r\n " * 5000 + "a", 10) == "a"


def test_it_is_the_same_in_a_python_that_skips_assertions():
    script = (
        "import sys; from service.feeds.text import clean_text\n"
        "from service.feeds.outgoing import _folded, _text\n"
        "assert False, 'assertions are on'\n"
        "text = 'a\\r\\nATTENDEE:x\\u2028BEGIN:VEVENT\\0'\n"
        "sys.stdout.buffer.write(_folded('SUMMARY:' + _text(text)))"
    )
    written = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True, check=True)

    assert written.stdout == b"SUMMARY:a ATTENDEE:x BEGIN:VEVENT\r\n"
    event = icalendar.Event.from_ical(b"BEGIN:VEVENT\r\n" + written.stdout + b"END:VEVENT\r\n")
    assert set(event) == {"SUMMARY"}
