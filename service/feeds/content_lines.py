"""The content lines of an iCalendar file (RFC 5545 section 3.1), and the components they form.

Every line keeps the number it has in the file, so that whoever refuses it can say where it is.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FILE_BYTES_MAX = 10_000_000
LINE_BYTES_MAX = 64 * 1024
COMPONENTS_MAX = 5_000

_PHYSICAL_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_NAME = re.compile(r"[A-Za-z0-9._-]+(?=[;:])")
_PARAMETER = re.compile(r';([A-Za-z0-9._-]+)=((?:"[^"]*"|[^";:])*)')

# What decides busy time. Everything else is checked to be well-formed lines, and not kept.
_KEPT_PROPERTIES = {
    "VCALENDAR": {"METHOD"},
    "VEVENT": {
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "EXRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "UID",
        "SEQUENCE",
        "STATUS",
        "TRANSP",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    },
    "VFREEBUSY": {"FREEBUSY"},
    "VTIMEZONE": {"TZID"},
    "STANDARD": {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"},
    "DAYLIGHT": {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"},
}
_PARENT = {
    "VEVENT": "VCALENDAR",
    "VFREEBUSY": "VCALENDAR",
    "VTIMEZONE": "VCALENDAR",
    "STANDARD": "VTIMEZONE",
    "DAYLIGHT": "VTIMEZONE",
}


class BadFeed(Exception):
    """The file is damaged or over a limit, and nothing of it may be imported.

    line counts from 1, and is the first line of the content line at fault.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason = reason
        self.line = line
        super().__init__(reason if line is None else f"line {line}: {reason}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    line: int
    name: str
    parameters: dict[str, str]
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    line: int
    name: str
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [found for found in self.properties if found.name == name]

    def one(self, name: str) -> Property | None:
        """The property that may stand here once."""
        found = self.all(name)
        if len(found) > 1:
            raise BadFeed(f"{self.name} has {name} a second time", found[1].line)
        return found[0] if found else None

    def text(self, name: str) -> str:
        found = self.one(name)
        return "" if found is None else found.value.upper()


def read_calendars(data: bytes) -> list[Component]:
    """The VCALENDAR components of the file, with what in them can decide busy time."""
    if len(data) > FILE_BYTES_MAX:
        raise BadFeed(f"the file is larger than {FILE_BYTES_MAX} bytes")
    calendars: list[Component] = []
    open_components: list[tuple[str, int, Component | None]] = []
    count = 0
    for line, name, text in _content_lines(_as_utf8(data)):
        if name == "BEGIN":
            count += len(open_components) <= 1
            if count > COMPONENTS_MAX:
                raise BadFeed(f"there are more than {COMPONENTS_MAX} components", line)
            open_components.append(_begin(line, text, open_components, calendars))
        elif not open_components:
            raise BadFeed("this stands outside BEGIN:VCALENDAR and END:VCALENDAR", line)
        elif name == "END":
            _end(line, text, open_components)
        else:
            _keep(line, name, text, open_components[-1][2])
    if open_components:
        name, line, _ = open_components[-1]
        raise BadFeed(f"BEGIN:{name} has no END:{name}", line)
    if not calendars:
        raise BadFeed("there is no BEGIN:VCALENDAR", 1)
    return calendars


def _as_utf8(data: bytes) -> bytes:
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-16", "ignore")
        raise BadFeed("the text is not UTF-16", before.count("\n") + 1) from None


def _content_lines(data: bytes) -> Iterator[tuple[int, str, str]]:
    """Number, name and the rest of each line, unfolded.

    Unfolds bytes, not characters: a fold may part the bytes of one character.
    """
    line, pieces, size = 0, [b""], 0
    for number, match in enumerate(_PHYSICAL_LINE.finditer(data), start=1):
        piece = match[1]
        if not piece:
            continue
        if piece[:1] in b" \t":
            if not line and piece.strip():
                raise BadFeed("a continued line continues nothing", number)
            pieces.append(piece[1:])
            size += len(piece)
        else:
            if line:
                yield _content_line(line, b"".join(pieces))
            line, pieces, size = number, [piece], len(piece)
        if size > LINE_BYTES_MAX:
            raise BadFeed(f"the line is longer than {LINE_BYTES_MAX} bytes", line)
    if line:
        yield _content_line(line, b"".join(pieces))


def _content_line(line: int, unfolded: bytes) -> tuple[int, str, str]:
    try:
        text = unfolded.decode()
    except UnicodeDecodeError:
        raise BadFeed("the text is not UTF-8", line) from None
    name = _NAME.match(text)
    if name is None or ":" not in text:
        raise BadFeed("this is no «name:value»", line)
    return line, name[0].upper(), text[name.end() :]


def _begin(
    line: int,
    text: str,
    open_components: list[tuple[str, int, Component | None]],
    calendars: list[Component],
) -> tuple[str, int, Component | None]:
    name = text[1:].strip().upper()
    if not open_components:
        if name != "VCALENDAR":
            raise BadFeed(f"BEGIN:{name[:40]} stands where BEGIN:VCALENDAR must", line)
        calendars.append(Component(line=line, name=name))
        return name, line, calendars[-1]
    parent = open_components[-1][2]
    if parent is None or _PARENT.get(name) != parent.name:
        return name, line, None
    parent.children.append(Component(line=line, name=name))
    return name, line, parent.children[-1]


def _end(line: int, text: str, open_components: list[tuple[str, int, Component | None]]) -> None:
    name, begun, _ = open_components.pop()
    if text[1:].strip().upper() != name:
        found = text[1:].strip()[:40]
        raise BadFeed(f"END:{found} stands where END:{name} of line {begun} must", line)


def _keep(line: int, name: str, text: str, component: Component | None) -> None:
    if component is None or name not in _KEPT_PROPERTIES[component.name]:
        return
    parameters: dict[str, str] = {}
    position = 0
    while match := _PARAMETER.match(text, position):
        parameters[match[1].upper()] = match[2].replace('"', "").strip()
        position = match.end()
    if text[position : position + 1] != ":":
        raise BadFeed(f"the parameters of {name} are damaged", line)
    value = text[position + 1 :].strip()
    component.properties.append(Property(line=line, name=name, parameters=parameters, value=value))
