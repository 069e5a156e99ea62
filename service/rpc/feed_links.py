"""The secret addresses of calendars' files: given out, listed, revoked, and read."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID, uuid4

from service.domain.errors import InvalidRequest, ResourceNotFound
from service.domain.ids import calendar_name
from service.rpc.call import Behaviour, Call
from service.rpc.convert.feeds import write_feed_link
from service.rpc.convert.names import child_id, grandchild_ids
from service.store import catalog as catalog_store
from service.store import feed_links
from service.store.database import Database, Transaction
from service.store.feed_links import FeedLink
from slotcast.v1 import catalog_service_pb2 as catalog_pb

LINKS_PER_CALENDAR_MAX = 50
SECRET_BYTES = 24

_TOKEN = re.compile(
    r"([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)_([0-9a-f]{32})_([A-Za-z0-9_-]{20,60})(?:\.ics)?"
)


class Token(NamedTuple):
    """What a secret address says."""

    business_id: str
    link_id: UUID
    secret: str

    @property
    def text(self) -> str:
        """As it stands in the address."""
        return f"{self.business_id}_{self.link_id.hex}_{self.secret}"

    def opens(self, link: FeedLink | None) -> bool:
        """Say whether it is that of a link; it takes as long where there is none."""
        stored = link.secret_hash if link else bytes(hashlib.sha256().digest_size)
        return hmac.compare_digest(_hash(self.secret), stored)


def read_token(text: str) -> Token:
    """Return what an address says. What cannot be one is not found, as any other that is wrong."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise ResourceNotFound("feeds/…")
    return Token(match[1], UUID(hex=match[2]), match[3])


class FeedLinks:
    """Keeps the addresses."""

    def __init__(self, *, database: Database, public_url: str) -> None:
        """Take where they are kept, and what they begin with."""
        self._database = database
        self._public_url = public_url

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "CreateFeedLink": self.create_link,
            "ListFeedLinks": self.list_links,
            "DeleteFeedLink": self.delete_link,
        }

    async def create_link(
        self, request: catalog_pb.CreateFeedLinkRequest, call: Call
    ) -> catalog_pb.CreateFeedLinkResponse:
        """Answer CreateFeedLink. The secret is told this once; only its hash is kept."""
        calendar_id = child_id(request.parent, call.business_id)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.transaction(call.business_id) as tx:
            await _check_calendar(tx, call.business_id, calendar_id)
            there = await feed_links.of_calendar(tx, call.business_id, calendar_id)
            if len(there) >= LINKS_PER_CALENDAR_MAX:
                raise InvalidRequest(
                    "parent", f"A calendar has at most {LINKS_PER_CALENDAR_MAX} addresses."
                )
            link = FeedLink(
                link_id=uuid4(),
                calendar_id=calendar_id,
                display_name=request.display_name,
                with_names=request.with_names,
                secret_hash=_hash(secret),
                created_at=await feed_links.now(tx),
            )
            await feed_links.add(tx, call.business_id, link)
        token = Token(call.business_id, link.link_id, secret)
        return catalog_pb.CreateFeedLinkResponse(
            link=write_feed_link(link, call.business_id),
            url=f"{self._public_url}/v1/feeds/{token.text}.ics",
        )

    async def list_links(
        self, request: catalog_pb.ListFeedLinksRequest, call: Call
    ) -> catalog_pb.ListFeedLinksResponse:
        """Answer ListFeedLinks."""
        calendar_id = child_id(request.parent, call.business_id)
        async with self._database.snapshot(call.business_id) as tx:
            await _check_calendar(tx, call.business_id, calendar_id)
            found = await feed_links.of_calendar(tx, call.business_id, calendar_id)
        return catalog_pb.ListFeedLinksResponse(
            links=[write_feed_link(link, call.business_id) for link in found]
        )

    async def delete_link(
        self, request: catalog_pb.DeleteFeedLinkRequest, call: Call
    ) -> catalog_pb.DeleteFeedLinkResponse:
        """Answer DeleteFeedLink."""
        calendar_id, link_id = grandchild_ids(request.name, call.business_id)
        async with self._database.transaction(call.business_id) as tx:
            if not await feed_links.remove(tx, call.business_id, calendar_id, UUID(link_id)):
                raise ResourceNotFound(request.name)
        return catalog_pb.DeleteFeedLinkResponse()


async def _check_calendar(tx: Transaction, business_id: str, calendar_id: str) -> None:
    catalog = await catalog_store.load(tx, business_id)
    if catalog is None or calendar_id not in catalog.calendars:
        raise ResourceNotFound(calendar_name(business_id, calendar_id))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
