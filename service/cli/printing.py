"""How a command prints: sentences, tables and JSON, in which text from outside is only text.

Rich reads `[…]` as markup and `:…:` as emoji, and a terminal obeys control characters: what people
typed must reach neither. So there is no markup here, but text and styles.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Part = str | tuple[str, str]
"""Text, or text and its style."""
_UNCUT = 100_000


def say(*parts: Part) -> None:
    """Print a sentence."""
    Console().print(styled(*parts), soft_wrap=True)


def warn(*parts: Part) -> None:
    """Print a sentence on standard error."""
    Console(stderr=True).print(styled(*parts), soft_wrap=True)


def styled(*parts: Part) -> Text:
    """Return parts as one text."""
    return Text.assemble(
        *(plain(each) if isinstance(each, str) else (plain(each[0]), each[1]) for each in parts)
    )


def plain(text: str) -> str:
    """Return text without control characters, which a terminal would obey."""
    return "".join(
        "�" if unicodedata.category(each) == "Cc" and each != "\n" else each for each in text
    )


def page() -> Console:
    """Return standard output: as wide as its terminal, and where it is none, as wide as needed."""
    console = Console()
    if not console.is_terminal:
        console.width = _UNCUT
    return console


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print a table, or, where the terminal is too narrow for it, each row as lines of its own.

    So nothing is ever cut, and what one command shows can be given to the next.
    """
    console = page()
    shown = [[cell if isinstance(cell, Text) else styled(cell) for cell in row] for row in rows]
    table = Table(*columns, box=None)
    for row in shown:
        table.add_row(*row)
    uncut = console.options.update(max_width=_UNCUT)
    if Measurement.get(console, uncut, table).maximum <= console.width:
        console.print(table)
        return
    longest = max(len(column) for column in columns)
    for row in shown:
        for column, cell in zip(columns, row, strict=True):
            console.print(styled((f"{column:<{longest}}  ", "bold")) + cell, soft_wrap=True)
        console.print()


def print_json(value: object) -> None:
    """Print for programs: dataclasses as objects, ISO 8601 instants and durations."""
    sys.stdout.write(json.dumps(value, indent=2, default=_as_json) + "\n")


def counted(count: int, noun: str) -> str:
    """Say how many of a thing there are: `1 interval`, `2 intervals`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return "PT" + f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
