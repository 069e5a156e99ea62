"""Content as HTML and as plain text. MJML is compiled once for each language."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, Template
from mjml import mjml2html

from service.notify.letters.content import Content

TEMPLATES = Path(__file__).parent / "templates"

_SIDES = {"ltr": ("left", "right"), "rtl": ("right", "left")}
_HTML = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_TEXT = Environment(
    autoescape=False,  # noqa: S701 (plain text has nothing to escape)
    trim_blocks=True,
    lstrip_blocks=True,
)


def html_of(content: Content) -> str:
    """Return the letter as HTML, which loads nothing from anywhere."""
    words = content.speech.words
    preview = content.intro
    if content.items:
        first = content.items[0].when
        preview = f"{first.day}, {first.span}"
    template = _html_template(words.language, words.direction)
    return template.render(content=content, words=words, preview=preview)


def text_of(content: Content) -> str:
    """Return the letter as plain text, with the same content."""
    return _text_template().render(content=content, words=content.speech.words)


@cache
def _html_template(language: str, direction: Literal["ltr", "rtl"]) -> Template:
    """Compile MJML to HTML. What Jinja fills in is still open then."""
    start, end = _SIDES[direction]
    source = (TEMPLATES / "letter.mjml").read_text()
    for name, value in (
        ("@lang", language),
        ("@direction", direction),
        ("@start", start),
        ("@end", end),
    ):
        source = source.replace(name, value)
    # Otherwise what is known to Google Fonts would be loaded from there.
    html = mjml2html(source, fonts={})
    if direction == "rtl":
        html = html.replace("direction:ltr", "direction:rtl")
    return _HTML.from_string(html.replace("text-align:left", f"text-align:{start}"))


@cache
def _text_template() -> Template:
    return _TEXT.from_string((TEMPLATES / "letter.txt").read_text())
