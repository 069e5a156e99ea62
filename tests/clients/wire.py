"""Wire messages for scripts: slots, bookings and frames of a day in 2030."""

from datetime import UTC, datetime, timedelta

from slotcast import Slot, SlotKey, SlotQuery
from slotcast.convert import duration, timestamp
from slotcast.fold import digest_term
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import core_pb2 as core_pb

DAY = datetime(2030, 1, 7, tzinfo=UTC)
QUERY = SlotQuery(start=DAY, end=DAY + timedelta(days=1), appointment_types=("cut",))
STALE_AFTER_SECONDS = 15
AT_DAY = timestamp(DAY)
STALE_AFTER = duration(timedelta(seconds=STALE_AFTER_SECONDS))


def a_slot(number, *, calendar="anna", kind="cut", seats=1):
    """The slot that starts so many half hours into the day."""
    start = DAY + timedelta(minutes=30 * number)
    return Slot(
        appointment_type=f"businesses/salon/appointmentTypes/{kind}",
        calendar=f"businesses/salon/calendars/{calendar}",
        start=start,
        end=start + timedelta(minutes=30),
        seats_left=seats,
    )


def slot_message(slot):
    return core_pb.Slot(
        appointment_type=slot.appointment_type,
        calendar=slot.calendar,
        start_time=timestamp(slot.start),
        end_time=timestamp(slot.end),
        seats_left=slot.seats_left,
    )


def key_message(key):
    assert isinstance(key, SlotKey)
    return core_pb.SlotKey(
        appointment_type=key.appointment_type,
        calendar=key.calendar,
        start_time=timestamp(key.start),
        end_time=timestamp(key.end),
    )


def frame(revision, *, seconds=None, token=None, **what):
    """A frame at a revision, so many seconds into the day; its token has the revision's name."""
    return availability_pb.WatchAvailabilityResponse(
        revision=revision,
        as_of=timestamp(DAY + timedelta(seconds=revision if seconds is None else seconds)),
        resume_token=f"token-{revision}" if token is None else token,
        stale_after=STALE_AFTER,
        **what,
    )


def snapshot(revision, slots, *, chunk_size=500, **more):
    """The frames of a snapshot."""
    slots = list(slots)
    chunks = [slots[at : at + chunk_size] for at in range(0, len(slots), chunk_size)]
    return [
        *(
            frame(
                revision,
                token="",
                snapshot_chunk=availability_pb.SnapshotChunk(slots=map(slot_message, chunk)),
                **more,
            )
            for chunk in chunks
        ),
        frame(revision, snapshot_end=availability_pb.SnapshotEnd(open_slots=len(slots)), **more),
    ]


def delta(revision, *, opened=(), closed=(), cleared=(), more=False, **rest):
    """A delta, or a part of one."""
    return frame(
        revision,
        token="" if more else None,
        delta=availability_pb.Delta(
            cleared=cleared,
            closed=[key_message(slot.key) for slot in closed],
            opened=map(slot_message, opened),
            more=more,
        ),
        **rest,
    )


def heartbeat(revision, slots, **more):
    """A heartbeat that vouches for these slots."""
    slots = list(slots)
    return frame(
        revision,
        heartbeat=availability_pb.Heartbeat(
            open_slots=len(slots), digest=sum(map(digest_term, slots)) % 2**64
        ),
        **more,
    )


def reset(revision, reason=availability_pb.Reset.REASON_COMPACTED, **more):
    return frame(revision, token="", reset=availability_pb.Reset(reason=reason), **more)


def goodbye(revision, *, retry_delay_seconds=1, **more):
    return frame(
        revision,
        goodbye=availability_pb.Goodbye(
            reason=availability_pb.Goodbye.REASON_AGE,
            retry_delay=duration(timedelta(seconds=retry_delay_seconds)),
        ),
        **more,
    )


def booking_message(number=1, **more):
    slot = a_slot(number)
    values = {
        "name": f"businesses/salon/bookings/{number}",
        "appointment_type": slot.appointment_type,
        "calendars": [slot.calendar],
        "start_time": timestamp(slot.start),
        "end_time": timestamp(slot.end),
        "time_zone": "Europe/Berlin",
        "status": booking_pb.BOOKING_STATUS_CONFIRMED,
        "version": 1,
        "customer": booking_pb.Customer(display_name="Ada"),
        "create_time": AT_DAY,
        "update_time": AT_DAY,
    }
    return booking_pb.Booking(**{**values, **more})


def hold_message(number=1):
    slot = a_slot(number)
    return booking_pb.Hold(
        name=f"businesses/salon/holds/{number}",
        appointment_type=slot.appointment_type,
        calendars=[slot.calendar],
        start_time=timestamp(slot.start),
        end_time=timestamp(slot.end),
        expire_time=AT_DAY,
        holder="chat-1",
    )
