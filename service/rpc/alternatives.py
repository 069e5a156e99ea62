"""What is open instead of a slot that was refused."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from service.domain.commands import Book, Command, HoldSlot, HoldWish, RenewHold, Reschedule, Wish
from service.domain.commands import SlotWish
from service.domain.errors import DomainError
from service.domain.ids import holder_key
from service.domain.slot import Slot
from service.rpc.convert.slots import write_slot
from service.store import bookings
from service.store.database import Database
from slotcast.v1 import error_reason_pb2

logger = logging.getLogger(__name__)
