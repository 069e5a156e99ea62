"""Fetching a feed from its address."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from service.feeds.content_lines import FILE_BYTES_MAX
from service.ops.outbound import Outbound, OutboundError

FETCH_SECONDS_MAX = 20.0
TAG_LENGTH_MAX = 500
"""A longer entity tag is not kept: the file is then fetched whole each time."""

_OK, _NOT_MODIFIED = 200, 304


class FeedUnreachable(Exception):
    """There is no file to be had at the address. `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        """Take the sentence."""
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """What a server calls the file that we have."""

    etag: str = ""
    last_modified: str = ""


NOTHING_KNOWN = Tags()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A file, and what its server calls it."""

    data: bytes
    tags: Tags
    content_hash: bytes


async def fetch(outbound: Outbound, url: str, known: Tags = NOTHING_KNOWN) -> Fetched | None:
    """Return the file at an address; None: it is the one that is known. Or FeedUnreachable."""
    headers = {"accept": "text/calendar, */*;q=0.1"}
    if known.etag:
        headers["if-none-match"] = known.etag
    if known.last_modified:
        headers["if-modified-since"] = known.last_modified
    try:
        answer = await outbound.get(
            url, headers=headers, bytes_max=FILE_BYTES_MAX, seconds_max=FETCH_SECONDS_MAX
        )
    except OutboundError as error:
        raise FeedUnreachable(f"The address cannot be fetched: {error.reason}") from error
    if answer.status == _NOT_MODIFIED and known != NOTHING_KNOWN:
        return None
    if answer.status != _OK:
        raise FeedUnreachable(f"The address cannot be fetched: it answers {answer.status}.")
    tags = Tags(
        etag=_kept(answer.headers.get("etag", "")),
        last_modified=_kept(answer.headers.get("last-modified", "")),
    )
    return Fetched(data=answer.body, tags=tags, content_hash=sha256(answer.body).digest())


def _kept(tag: str) -> str:
    return tag if len(tag) <= TAG_LENGTH_MAX and tag.isascii() and tag.isprintable() else ""
