"""What the tests ask for over HTTP."""

from tests.rpc.stack import a_request_id, tomorrow


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def a_window(**more):
    return {"startTime": text(tomorrow(9)), "endTime": text(tomorrow(17)), **more}


def a_slot(shop, hour=9):
    return {
        "appointmentType": shop.caller.name("appointmentTypes", "visit"),
        "calendar": shop.caller.name("calendars", "anna"),
        "startTime": text(tomorrow(hour)),
    }


def a_hold(shop, hour=9, **more):
    return {"requestId": a_request_id(), "slot": a_slot(shop, hour), "holder": "kim", **more}


def a_booking(shop, hour=9, **more):
    return {
        "requestId": a_request_id(),
        "appointments": [{"slot": a_slot(shop, hour)}],
        "customer": {"displayName": "Kim"},
        **more,
    }
