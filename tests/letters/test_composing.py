"""Letters of all kinds and languages: what they say, in HTML and in plain text, and around it."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from string import Formatter

import pytest

from service.domain.interval import Interval
from service.notify.letters.composing import compose
from service.notify.letters.content import content_of
from service.notify.letters.facts import ENDINGS, LetterKind, Mailbox
from service.notify.letters.rendering import html_of, text_of
from service.notify.letters.words.languages import WORDS, speech_of
from tests.letters import samples
from tests.letters.reading import read

TAGS = re.compile(r"<(style|head|script).*?</\1>|<!--.*?-->|<[^>]+>", re.DOTALL)


def every_letter():
    """Return a letter of each kind, to each reader."""
    yield from (samples.a_letter(kind) for kind in LetterKind)
    yield from (samples.a_staff_letter(kind) for kind in samples.STAFF_KINDS)
    yield samples.several()
    yield samples.several(kind=LetterKind.PENDING)
    yield samples.a_staff_letter(appointments=samples.several().appointments)


def shown(html):
    """Return what a reader of HTML sees, without blanks."""
    return re.sub(r"\s+", "", unescape(TAGS.sub(" ", html)))


@pytest.mark.parametrize("language", samples.LANGUAGES)
def test_every_kind_of_letter_is_written_in_every_language(language):
    for letter in every_letter():
        mail = read(compose(replace(letter, languages=(language,)), samples.an_envelope()).data)

        assert mail.message["Content-Language"] == language
        assert f'lang="{language}"' in mail.html
        assert not re.search(r"[{}]", mail.message["Subject"] + mail.text)
        assert "{{" not in mail.html
        assert "{%" not in mail.html


@pytest.mark.parametrize("language", samples.LANGUAGES)
def test_html_and_plain_text_say_the_same(language):
    for letter in every_letter():
        content = content_of(replace(letter, languages=(language,), reason="Flu. Sorry!"))
        seen, text = shown(html_of(content)), text_of(content)

        said = [content.headline, content.intro, *content.notes, *content.footer]
        said += [row.value for row in content.rows] + [row.label for row in content.rows]
        for item in content.items:
            said += [item.when.day, item.when.span, item.when.zone, item.title, item.by, item.mark]
        for each in filter(None, said):
            for line in each.split("\n"):
                assert re.sub(r"\s+", "", line) in seen
                assert line in text
        links = re.findall(r'href="([^"]+)"', html_of(content))
        assert sorted(map(unescape, links)) == sorted(re.findall(r"https://\S+", text))


def test_a_letter_loads_nothing_and_runs_nothing():
    for letter in every_letter():
        html = html_of(content_of(letter))
        addresses = set(re.findall(r"https?://[^\s\"'<]+", html)) - {samples.LINK}

        assert addresses == {"http://www.w3.org/1999/xhtml"}
        assert not re.search(r"<(script|img|link|iframe|object|form)\b|@import|url\(", html)


def test_a_letter_knows_the_dark_and_the_phone():
    html = html_of(content_of(samples.a_letter()))

    assert '<meta name="color-scheme" content="light dark"' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "width=device-width" in html
    assert "max-width:560px" in html


def test_arabic_reads_from_right_to_left():
    html = html_of(content_of(samples.a_letter(languages=("ar-EG",))))

    assert 'dir="rtl"' in html
    assert "text-align:left" not in html
    assert "direction:ltr" not in html
    assert '<span dir="ltr">+49 30 901820</span>' in html


def test_the_first_language_that_we_speak_is_spoken_else_english():
    assert speech_of(["de-AT", "fr"]).tag == "de-AT"
    assert speech_of(["nl", "es"]).tag == "es"
    assert speech_of(["", "ja_JP"]).tag == "ja-JP"
    assert speech_of(["nl", ""]).tag == "en"
    assert speech_of(["fr-XX"]).tag == "fr"
    assert speech_of(["zh-Hant-TW", "ar-Arab-EG"]).tag == "ar-EG"


def test_all_languages_say_all_and_put_in_only_what_is_known():
    known = {"business", "what", "when", "customer", "until"}
    english = WORDS["en"]
    for words in WORDS.values():
        assert words.customer.keys() == english.customer.keys() == set(LetterKind)
        assert words.staff.keys() == english.staff.keys() == set(samples.STAFF_KINDS)
        messages = [*words.customer.values(), *words.staff.values(), words.several]
        for message in [*messages, words.several_pending, words.staff_several]:
            assert message.headline
            assert message.subject
            for text in (message.subject, message.headline, message.intro):
                assert {name for _, name, _, _ in Formatter().parse(text) if name} <= known
        for name, used in {
            "other_clock": {"business", "time", "zone"},
            "day_and_time": {"day", "time"},
            "label": {"label", "value"},
        }.items():
            fields = Formatter().parse(getattr(words, name))
            assert {field for _, field, _, _ in fields if field} == used


def test_a_time_is_told_by_the_customers_clock_with_a_note_where_the_calendars_differs():
    there = content_of(samples.a_letter(zone="America/New_York")).items[0].when
    same = content_of(samples.a_letter(zone="Europe/Paris")).items[0].when
    none = content_of(samples.a_letter(zone="Mars/Olympus")).items[0].when

    assert there.day == "Tuesday, June 4, 2030"
    assert there.span == "4:30\u202fAM – 5:15\u202fAM"
    assert there.zone == "Eastern Daylight Time (New York)"
    assert there.note == (
        "At Salon Lindenhof the clock then says 10:30\u202fAM (Central European Summer Time)."
    )
    assert same.zone == "Central European Summer Time (Paris)"
    assert same.note == ""
    assert none.zone == "Central European Summer Time (Berlin)"


def test_the_note_names_the_day_where_it_is_another_there():
    when = content_of(samples.a_letter(zone="Pacific/Auckland", languages=("en-GB",))).items[0].when
    late = samples.a_letter(
        zone="Pacific/Auckland",
        appointment={
            "during": Interval(
                samples.START + timedelta(hours=6), samples.START + timedelta(hours=7)
            )
        },
    )

    assert when.day == "Tuesday, 4 June 2030"
    assert "then says 10:30 (" in when.note
    assert "then says Tue, Jun 4, 4:30\u202fPM (" in content_of(late).items[0].when.note


def test_an_appointment_over_midnight_tells_the_day_of_its_end():
    during = Interval(samples.START + timedelta(hours=12), samples.START + timedelta(hours=15))
    letter = samples.a_letter(appointment={"during": during}, languages=("de",))

    assert content_of(letter).items[0].when.span == "22:30 – Mi., 5. Juni, 01:30"


def test_what_was_moved_tells_the_old_time_and_the_new():
    mail = read(compose(samples.a_letter(LetterKind.RESCHEDULED), samples.an_envelope()).data)

    assert "Tuesday, June 4, 2030" in mail.text
    assert "Before: Monday, June 3, 2030, 10:30\u202fAM – 11:15\u202fAM" in mail.text
    assert mail.event.start == samples.START


def test_what_is_over_has_its_reason_and_nothing_to_press():
    for kind in ENDINGS:
        mail = read(compose(samples.a_letter(kind, reason="Flu."), samples.an_envelope()).data)

        assert "Reason: Flu." in mail.text
        assert samples.LINK not in mail.text + mail.html + mail.ics


def test_an_offer_says_until_when_it_is_kept_and_has_no_event():
    mail = read(compose(samples.a_letter(LetterKind.WAITLIST_OFFER), samples.an_envelope()).data)

    assert "until Mon, Jun 3, 2:15\u202fPM" in mail.text
    assert "Take this appointment:\n" + samples.LINK in mail.text
    assert mail.events == ()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "If you have not taken it by then, it is offered to whoever waits next"),
        ("de", "Sie stehen nicht mehr auf der Warteliste"),
        ("fr", "vous ne serez plus sur la liste d\u2019attente"),
        ("es", "usted dejará de estar en la lista de espera"),
        ("ar", "ويُرفع اسمك من قائمة الانتظار"),
        ("ja", "キャンセル待ちの登録は終了します"),
    ],
)
def test_an_offer_says_that_not_taking_it_ends_the_waiting(language, said):
    letter = samples.a_letter(LetterKind.WAITLIST_OFFER, languages=(language,))

    assert said in content_of(letter).intro


def test_staff_read_who_comes_and_what_they_answered_and_have_no_customers_link():
    mail = read(compose(samples.a_staff_letter(), samples.an_envelope()).data)

    assert mail.message["Subject"] == "New: Ada Lovelace, Tue, Jun 4, 10:30 AM"
    for each in ("Ada Lovelace", "ada@example.com", "+44 20 7946 0958", "I am allergic to henna."):
        assert each in mail.text
        assert each in mail.event.description
    assert mail.event.summary == "Haircut and styling: Ada Lovelace"
    assert samples.LINK not in mail.text + mail.html + mail.ics


def test_a_customer_is_not_shown_what_somebody_typed_as_their_name():
    letter = samples.a_letter(
        to=Mailbox(address="victim@example.com", name="WIN https://evil.example")
    )

    mail = read(compose(letter, samples.an_envelope()).data)

    assert "evil" not in mail.text + mail.html + mail.message["Subject"]


def test_headers_say_from_whom_to_whom_and_after_what():
    envelope = samples.an_envelope(first_message_id="<d0.salon@slotcast.example>")

    headers = read(compose(samples.a_letter(), envelope).data).message

    assert headers["From"] == "Salon Lindenhof <bookings@slotcast.example>"
    assert headers["Reply-To"] == "Salon Lindenhof <hello@lindenhof.example>"
    assert headers["To"] == "Ada Lovelace <ada@example.com>"
    assert headers["Message-ID"] == "<d1.salon@slotcast.example>"
    assert headers["References"] == headers["In-Reply-To"] == "<d0.salon@slotcast.example>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"].datetime == samples.NOW


def test_the_first_letter_refers_to_none_and_a_business_without_an_address_has_no_reply_to():
    envelope = samples.an_envelope(first_message_id="<d1.salon@slotcast.example>")
    letter = samples.a_letter(host=samples.a_host(email=""))

    mail = read(compose(letter, envelope).data)

    assert mail.message["References"] is None
    assert mail.message["Reply-To"] is None
    assert "reply to this e-mail" not in mail.text


def test_names_in_any_script_arrive_as_they_are():
    for name in ("Jörg Müller-Lüdenscheidt", "山田 太郎", "محمد علي", 'O"Neill, Ann', "Ω" * 70):
        letter = samples.a_letter(to=Mailbox(address="ada@example.com", name=name))

        (to,) = read(compose(letter, samples.an_envelope()).data).message["To"].addresses

        # Python 3.11 reads blanks between the parts of a long name.
        assert to.display_name.replace(" ", "") == name.replace(" ", "")
