"""Catalogues by version, so that a batch reads one only when it has changed."""

from __future__ import annotations

from collections import OrderedDict

from service.domain.catalog import Catalog
from service.domain.hours import Hours
from service.store import catalog as catalog_store
from service.store.batch import BatchHead
from service.store.database import Transaction

CATALOGS_MAX = 1000
"""How many catalogues are kept; the one unused for longest goes first."""


class CatalogCache:
    """The newest catalogue seen of each business, with its opening hours worked out so far."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: OrderedDict[str, tuple[str, Catalog, Hours]] = OrderedDict()

    async def get(
        self, tx: Transaction, business_id: str, head: BatchHead
    ) -> tuple[Catalog, Hours]:
        """Return the catalogue at the version that `head` tells; `tx` is the one that read it."""
        kept = self._kept.get(business_id)
        if kept is not None and kept[0] == head.epoch and kept[1].version == head.catalog_version:
            self._kept.move_to_end(business_id)
            return kept[1], kept[2]
        catalog = await catalog_store.load(tx, business_id)
        assert catalog is not None, "the head was read in the same transaction"
        hours = Hours(catalog)
        self._kept[business_id] = (head.epoch, catalog, hours)
        if len(self._kept) > CATALOGS_MAX:
            self._kept.popitem(last=False)
        return catalog, hours
