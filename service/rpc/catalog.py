"""CatalogService."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from google.protobuf.message import Message

from service.domain.commands import CatalogCommand, DeleteBusiness, Outcome, PutBusiness
from service.domain.errors import ResourceNotFound
from service.domain.scopes import BOOKINGS_STAFF, CATALOG_WRITE
from service.live.tokens import Tokens
from service.rpc.bookings import PAGE_SIZE_DEFAULT
from service.rpc.busy_feeds import BusyFeeds
from service.rpc.busy_import import BusyImport
from service.rpc.calendar_feeds import CalendarFeeds
from service.rpc.call import Behaviour, Call
from service.rpc.catalog_resources import RESOURCES, Resource
from service.rpc.convert.catalog import read_business, write_business
from service.rpc.convert.names import child_id
from service.rpc.reading import query_hash, read_at_least
from service.rpc.submitting import Asking, Encode, Submitter, Wanted
from service.store import catalog as catalog_store
from service.store.api_keys import ANY_BUSINESS
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES
from slotcast.v1 import catalog_service_pb2 as catalog_pb

SEES_ADDRESSES = frozenset({BOOKINGS_STAFF, CATALOG_WRITE})


class CatalogService:
    """Keeps what can be booked."""

    def __init__(
        self,
        *,
        submitter: Submitter,
        database: Database,
        tokens: Tokens,
        busy_import: BusyImport,
        busy_feeds: BusyFeeds,
        calendar_feeds: CalendarFeeds,
    ) -> None:
        """Take what its methods need."""
        self._submitter = submitter
        self._database = database
        self._tokens = tokens
        self._busy_import = busy_import
        self._busy_feeds = busy_feeds
        self._calendar_feeds = calendar_feeds

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method: five for each kind of resource, and the others."""
        behaviours: dict[str, Behaviour] = {
            "CreateBusiness": self.create_business,
            "GetBusiness": self.get_business,
            "ListBusinesses": self.list_businesses,
            "UpdateBusiness": self.update_business,
            "DeleteBusiness": self.delete_business,
            "ImportBusyFeed": self._busy_import.answer,
            **self._busy_feeds.behaviours(),
            **self._calendar_feeds.behaviours(),
        }
        for resource in RESOURCES:
            behaviours[f"Create{resource.message}"] = partial(self.create, resource)
            behaviours[f"Get{resource.message}"] = partial(self.get, resource)
            behaviours[f"List{resource.message}s"] = partial(self.list_page, resource)
            behaviours[f"Update{resource.message}"] = partial(self.update, resource)
            behaviours[f"Delete{resource.message}"] = partial(self.delete, resource)
        return behaviours

    async def create(self, resource: Resource, request: Any, call: Call) -> bytes:
        """Add a calendar, appointment type, schedule or closure."""
        resource_id: str = getattr(request, f"{resource.field}_id")
        return await self._put(resource, resource_id, True, request, call)

    async def update(self, resource: Resource, request: Any, call: Call) -> bytes:
        """Replace one."""
        resource_id = child_id(getattr(request, resource.field).name, call.business_id)
        return await self._put(resource, resource_id, False, request, call)

    async def delete(self, resource: Resource, request: Any, call: Call) -> bytes:
        """Remove one."""
        command = resource.delete(child_id(request.name, call.business_id))
        return await self._submit(call, call.business_id, request, command, _encode_removal(call))

    async def get(self, resource: Resource, request: Any, call: Call) -> Message:
        """Read one."""
        resource_id = child_id(request.name, call.business_id)
        async with read_at_least(
            self._database, call.business_id, request.min_revision, request.name
        ) as reading:
            catalog = await catalog_store.load(reading.tx, call.business_id)
        thing = resource.collection(catalog).get(resource_id) if catalog else None
        if thing is None:
            raise ResourceNotFound(request.name)
        written = _shown(resource.write(thing, call.business_id), call)
        return call.method.response_class(**{resource.field: written, "revision": reading.revision})

    async def list_page(self, resource: Resource, request: Any, call: Call) -> Message:
        """List those of one kind, by id."""
        query = query_hash(call.method.name, request)
        after = self._after(request.page_token, query)
        async with read_at_least(self._database, call.business_id, 0, request.parent) as reading:
            catalog = await catalog_store.load(reading.tx, call.business_id)
        things = resource.collection(catalog) if catalog else {}
        ids = sorted(each for each in things if after is None or each > after)
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        page = ids[:page_size]
        return call.method.response_class(
            **{
                resource.plural: [
                    _shown(resource.write(things[each], call.business_id), call) for each in page
                ],
                "next_page_token": self._next(query, page, more=len(ids) > page_size),
            }
        )

    async def create_business(self, request: catalog_pb.CreateBusinessRequest, call: Call) -> bytes:
        """Answer CreateBusiness."""
        business = read_business(request.business, request.business_id)
        command = PutBusiness(create=True, business=business)
        call.business_id = request.business_id
        return await self._submit(
            call, request.business_id, request, command, _encode_business(call)
        )

    async def update_business(self, request: catalog_pb.UpdateBusinessRequest, call: Call) -> bytes:
        """Answer UpdateBusiness."""
        business = read_business(request.business, call.business_id)
        command = PutBusiness(create=False, business=business)
        return await self._submit(call, call.business_id, request, command, _encode_business(call))

    async def delete_business(self, request: catalog_pb.DeleteBusinessRequest, call: Call) -> bytes:
        """Answer DeleteBusiness."""
        command = DeleteBusiness(business_id=call.business_id)
        return await self._submit(call, call.business_id, request, command, _encode_removal(call))

    async def get_business(
        self, request: catalog_pb.GetBusinessRequest, call: Call
    ) -> catalog_pb.GetBusinessResponse:
        """Answer GetBusiness."""
        async with read_at_least(
            self._database, call.business_id, request.min_revision, request.name
        ) as reading:
            catalog = await catalog_store.load(reading.tx, call.business_id)
        if catalog is None:
            raise ResourceNotFound(request.name)
        return catalog_pb.GetBusinessResponse(
            business=write_business(catalog.business), revision=reading.revision
        )

    async def list_businesses(
        self, request: catalog_pb.ListBusinessesRequest, call: Call
    ) -> catalog_pb.ListBusinessesResponse:
        """Answer ListBusinesses: a key of one business sees that one."""
        query = query_hash(call.method.name, request)
        after = self._after(request.page_token, query)
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        own = call.principal.business_id
        async with self._database.snapshot(ALL_BUSINESSES if own == ANY_BUSINESS else own) as tx:
            if own == ANY_BUSINESS:
                found = await catalog_store.list_businesses(tx, after=after, limit=page_size + 1)
            else:
                catalog = await catalog_store.load(tx, own)
                found = [catalog.business] if catalog else []
        page = found[:page_size]
        return catalog_pb.ListBusinessesResponse(
            businesses=[write_business(business) for business in page],
            next_page_token=self._next(
                query, [each.business_id for each in page], more=len(found) > page_size
            ),
        )

    async def _put(
        self, resource: Resource, resource_id: str, create: bool, request: Any, call: Call
    ) -> bytes:
        thing = resource.read(getattr(request, resource.field), call.business_id, resource_id)

        def encode(outcome: Outcome) -> bytes:
            assert outcome.catalog is not None
            stored = resource.collection(outcome.catalog)[resource_id]
            written = resource.write(stored, call.business_id)
            response = call.method.response_class(
                **{resource.field: written, "revision": outcome.revision}
            )
            return response.SerializeToString()

        command = resource.put(create, thing)
        return await self._submit(call, call.business_id, request, command, encode)

    async def _submit(
        self, call: Call, business_id: str, request: Any, command: CatalogCommand, encode: Encode
    ) -> bytes:
        asking = Asking(
            method_name=call.method.name,
            business_id=business_id,
            principal_id=call.principal.principal_id,
        )
        return await self._submitter.submit(asking, request, Wanted(command, encode))

    def _after(self, page_token: str, query: str) -> str | None:
        return self._tokens.read_page(page_token, query)[0] if page_token else None

    def _next(self, query: str, page: list[str], *, more: bool) -> str:
        return self._tokens.page(query, page[-1:]) if more else ""


def _shown(written: Message, call: Call) -> Message:
    """Keep a person's address from those who may only read: a page's key is everyone's."""
    if isinstance(written, catalog_pb.Calendar) and not call.principal.scopes & SEES_ADDRESSES:
        written.ClearField("email")
    return written


def _encode_business(call: Call) -> Encode:
    def encode(outcome: Outcome) -> bytes:
        assert outcome.catalog is not None
        written = write_business(outcome.catalog.business)
        response = call.method.response_class(business=written, revision=outcome.revision)
        return response.SerializeToString()

    return encode


def _encode_removal(call: Call) -> Encode:
    def encode(outcome: Outcome) -> bytes:
        return call.method.response_class(revision=outcome.revision).SerializeToString()

    return encode
