"""Entity tags of lists (RFC 9110, section 8.8.3).

A tag has what a list depends on, so that it is known to be the same without being made again. It is
weak, for a list that is the same is still told with another `as_of`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from service.live.availability import Validity
from service.rpc.convert.times import EPOCH

HEADER_LENGTH_MAX = 2048
"""Of If-None-Match; a longer one is not read."""
_MICROSECOND = timedelta(microseconds=1)
_TAG = re.compile(r'W/"([0-9a-f]{32})\.([0-9a-f]{16})\.(\d{1,18})\.(\d{1,18})\.(\d{0,18})"')


def write_etag(page: str, validity: Validity) -> str:
    """Return the tag of a page of a list; `page` stands for what was asked, in 16 hex digits."""
    until = "" if validity.until is None else _micros(validity.until)
    return f'W/"{validity.epoch}.{page}.{validity.revision}.{_micros(validity.since)}.{until}"'


def read_etags(if_none_match: str | bytes | None, page: str) -> Validity | None:
    """Return what the client has of a page; None: nothing, or nothing that we gave."""
    if not isinstance(if_none_match, str) or len(if_none_match) > HEADER_LENGTH_MAX:
        return None
    for epoch, of_page, revision, since, until in _TAG.findall(if_none_match):
        if of_page == page:
            return Validity(
                epoch, int(revision), _instant(since), _instant(until) if until else None
            )
    return None


def is_any(if_none_match: str | bytes | None) -> bool:
    """Say whether a client has whatever there is: `*` (RFC 9110, section 13.1.2)."""
    return isinstance(if_none_match, str) and if_none_match.strip() == "*"


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // _MICROSECOND


def _instant(micros: str) -> datetime:
    return EPOCH + int(micros) * _MICROSECOND
