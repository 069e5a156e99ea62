"""The business that a run makes for itself on the server, and removes when it is over."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self
from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration

from loadtest.grid import DAY_SECONDS, STEP_SECONDS, TYPE_ID, Cursor, Grid
from loadtest.target import CALL_SECONDS_MAX, metadata, open_blocking_channel
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1.catalog_service_pb2_grpc import CatalogServiceStub

DAYS = 700
_HORIZON_SECONDS = (DAYS + 10) * DAY_SECONDS
_SCHEDULE_ID = "always"
HOT_CALENDAR = "hot"
WATCHED_CALENDAR = "watched"


class ServerRefused(Exception):
    """The server did not let us prepare the test."""


class LoadBusiness:
    """A business with calendars that are open day and night, while the block lasts."""

    def __init__(self, target: str, api_key: str, *, run_id: str, calendars: int) -> None:
        """Make nothing yet."""
        self.business = f"load-{run_id}"
        self._channel = open_blocking_channel(target)
        self._stub = CatalogServiceStub(self._channel)
        self._metadata = metadata(api_key, "load-setup")
        self._is_made = False
        first_start = (int(time.time()) // DAY_SECONDS + 2) * DAY_SECONDS
        names = tuple(f"c{number}" for number in range(calendars))
        self.many = self._cursor(names, first_start)
        self.hot = self._cursor((HOT_CALENDAR,), first_start)
        self.watched = self._cursor((WATCHED_CALENDAR,), first_start)

    def __enter__(self) -> Self:
        """Make it."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout=CALL_SECONDS_MAX)
            self._make()
        except grpc.FutureTimeoutError:
            self._channel.close()
            raise ServerRefused("The server does not answer.") from None
        except grpc.RpcError as failure:
            self._remove()
            raise ServerRefused(_told(failure)) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._remove()

    def _cursor(self, calendars: tuple[str, ...], first_start: int) -> Cursor:
        grid = Grid(business=self.business, calendars=calendars, first_start=first_start, days=DAYS)
        return Cursor(grid)

    def _make(self) -> None:
        parent = self.many.grid.parent
        self._stub.CreateBusiness(
            catalog_pb.CreateBusinessRequest(
                business_id=self.business,
                business=catalog_pb.Business(display_name="Load test"),
                request_id=uuid4().hex,
            ),
            metadata=self._metadata,
            timeout=CALL_SECONDS_MAX,
        )
        self._is_made = True
        self._stub.CreateSchedule(
            catalog_pb.CreateScheduleRequest(
                parent=parent,
                schedule_id=_SCHEDULE_ID,
                schedule=_always(),
                request_id=uuid4().hex,
            ),
            metadata=self._metadata,
            timeout=CALL_SECONDS_MAX,
        )
        calendars = (*self.many.grid.calendars, HOT_CALENDAR, WATCHED_CALENDAR)
        for calendar in calendars:
            self._make_calendar(parent, calendar)
        self._stub.CreateAppointmentType(
            catalog_pb.CreateAppointmentTypeRequest(
                parent=parent,
                appointment_type_id=TYPE_ID,
                appointment_type=self._type(calendars),
                request_id=uuid4().hex,
            ),
            metadata=self._metadata,
            timeout=CALL_SECONDS_MAX,
        )

    def _make_calendar(self, parent: str, calendar: str) -> None:
        self._stub.CreateCalendar(
            catalog_pb.CreateCalendarRequest(
                parent=parent,
                calendar_id=calendar,
                calendar=catalog_pb.Calendar(
                    display_name=calendar,
                    time_zone="UTC",
                    schedule=f"{parent}/schedules/{_SCHEDULE_ID}",
                ),
                request_id=uuid4().hex,
            ),
            metadata=self._metadata,
            timeout=CALL_SECONDS_MAX,
        )

    def _type(self, calendars: tuple[str, ...]) -> catalog_pb.AppointmentType:
        return catalog_pb.AppointmentType(
            display_name="Visit",
            durations=[Duration(seconds=STEP_SECONDS)],
            slot_step=Duration(seconds=STEP_SECONDS),
            horizon=Duration(seconds=_HORIZON_SECONDS),
            any_of=[self.many.grid.calendar_name(calendar) for calendar in calendars],
        )

    def _remove(self) -> None:
        try:
            if self._is_made:
                request = catalog_pb.DeleteBusinessRequest(
                    name=self.many.grid.parent, request_id=uuid4().hex
                )
                self._stub.DeleteBusiness(
                    request, metadata=self._metadata, timeout=CALL_SECONDS_MAX
                )
        except grpc.RpcError as failure:
            raise ServerRefused(
                f"The business {self.business} could not be removed: {_told(failure)}"
            ) from None
        finally:
            self._channel.close()


def _always() -> catalog_pb.Schedule:
    day = catalog_pb.WallInterval(start="00:00", end="24:00")
    return catalog_pb.Schedule(
        display_name="Day and night",
        weekly=[
            catalog_pb.WeekdayHours(weekday=weekday, intervals=[day])
            for weekday in catalog_pb.Weekday.values()
            if weekday != catalog_pb.WEEKDAY_UNSPECIFIED
        ],
    )


def _told(failure: grpc.RpcError) -> str:
    if isinstance(failure, grpc.Call):
        return f"{failure.code().name}: {failure.details()}"
    return str(failure)
