"""Who may call what."""

import asyncio
import hashlib

import grpc
import pytest

from service.domain.errors import KeyInvalid, KeyMissing, Overloaded
from service.domain.scopes import SCOPES
from service.rpc.interceptors.authentication import KeyRing
from service.rpc.methods import METHODS, SCOPES_BY_METHOD, SERVICES
from service.store.api_keys import ApiKey
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal

SECRET = "s3cret-s3cret"


def a_key(key_id="k1", **changes):
    values = {
        "key_id": key_id,
        "business_id": "demo",
        "display_name": "Bot",
        "secret_hash": hashlib.sha256(SECRET.encode()).digest(),
        "scopes": frozenset({"bookings.write"}),
    }
    return ApiKey(**{**values, **changes})


class Keys:
    """The keys of a database that counts how often it is asked."""

    def __init__(self, *keys):
        self.by_id = {key.key_id: key for key in keys}
        self.asked = []
        self.seconds = 0.0
        self.answers = asyncio.Event()
        self.answers.set()

    async def find(self, key_id):
        self.asked.append(key_id)
        await self.answers.wait()
        return self.by_id.get(key_id)

    def ring(self, **options):
        return KeyRing(self.find, cache_seconds=10.0, monotonic=lambda: self.seconds, **options)


def bearer(key_id="k1", secret=SECRET):
    return f"Bearer sc_{key_id}_{secret}"


async def test_the_holder_of_a_key_is_known_by_its_id():
    principal = await Keys(a_key()).ring().principal(bearer())

    assert (principal.principal_id, principal.business_id) == ("k1", "demo")
    assert principal.scopes == {"bookings.write"}


@pytest.mark.parametrize("header", [None, ""])
async def test_a_call_without_a_key_is_told_so(header):
    with pytest.raises(KeyMissing):
        await Keys(a_key()).ring().principal(header)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer sc_k1",
        "Bearer k1_" + SECRET,
        "Basic sc_k1_" + SECRET,
        bearer(secret="short"),
        bearer(secret=SECRET + "x"),
        bearer(key_id="k2"),
        bearer(key_id="k1'--"),
        bearer() + "\n",
        b"\xff\xfe",
    ],
)
async def test_a_key_that_is_not_exactly_right_is_invalid(header):
    with pytest.raises(KeyInvalid):
        await Keys(a_key()).ring().principal(header)


async def test_a_key_is_read_once_while_it_is_fresh():
    keys = Keys(a_key())
    ring = keys.ring()

    await asyncio.gather(*(ring.principal(bearer()) for _ in range(50)))

    assert keys.asked == ["k1"]


async def test_a_revoked_key_is_refused_once_its_cached_reading_is_old():
    keys = Keys(a_key())
    ring = keys.ring()
    await ring.principal(bearer())
    keys.by_id["k1"] = a_key(revoked=True)

    keys.seconds = 9.9
    await ring.principal(bearer())
    keys.seconds = 10.0
    with pytest.raises(KeyInvalid):
        await ring.principal(bearer())


async def test_a_new_key_is_accepted_soon_after_it_was_refused():
    keys = Keys()
    ring = keys.ring()
    with pytest.raises(KeyInvalid):
        await ring.principal(bearer())
    keys.by_id["k1"] = a_key()

    keys.seconds = KeyRing.UNKNOWN_SECONDS_MAX

    assert (await ring.principal(bearer())).principal_id == "k1"


async def test_guessing_ids_does_not_push_good_keys_out(monkeypatch):
    monkeypatch.setattr(KeyRing, "UNKNOWN_MAX", 10)
    keys = Keys(a_key())
    ring = keys.ring()
    await ring.principal(bearer())

    for number in range(50):
        with pytest.raises(KeyInvalid):
            await ring.principal(bearer(key_id=f"guess-{number}"))
    await ring.principal(bearer())

    assert keys.asked.count("k1") == 1


async def test_guesses_wait_for_each_other_and_not_for_ever():
    keys = Keys(a_key())
    ring = keys.ring()
    await ring.principal(bearer())
    keys.answers.clear()

    guesses = [
        asyncio.create_task(ring.principal(bearer(key_id=f"guess-{number}")))
        for number in range(20)
    ]
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(keys.asked) == 1 + KeyRing.GUESSES_MAX

    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert {type(result) for result in results} == {Overloaded}
    # Whoever has a good key is not held up.
    assert (await ring.principal(bearer())).principal_id == "k1"


def test_every_method_has_scopes_and_no_other_has():
    methods = {
        f"{service.name}/{method.name}"
        for service in SERVICES.values()
        for method in service.methods
    }

    assert set(SCOPES_BY_METHOD) == methods
    assert frozenset().union(*SCOPES_BY_METHOD.values()) == set(SCOPES)


def call_bytes(channel, method, data, **options):
    """Call any method with any bytes."""
    kind = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }[method.streams_requests, method.streams_answers]
    call = kind(method.path)
    request = iter([data]) if method.streams_requests else data

    def answer(_, **given):
        result = call(request, **given)
        return list(result) if method.streams_answers else result

    return refusal(answer, None, **options)


ALL = sorted(METHODS.values(), key=lambda method: method.path)
# The address of a shared feed is its key.
KEYED = [method for method in ALL if method.name != "GetSharedFeed"]


def test_every_method_but_one_needs_a_key():
    assert [method for method in ALL if method.scopes] == KEYED


@pytest.mark.parametrize("method", KEYED, ids=lambda method: method.name)
def test_no_method_answers_a_call_without_a_key(grpc_channel, method):
    code, reason, _ = call_bytes(grpc_channel, method, b"")

    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING")


@pytest.mark.parametrize("method", KEYED, ids=lambda method: method.name)
def test_no_method_answers_a_call_with_a_wrong_key(grpc_channel, method):
    metadata = (("authorization", bearer(key_id="absent")),)
    code, reason, _ = call_bytes(grpc_channel, method, b"", metadata=metadata)

    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID")


def test_no_method_answers_a_key_without_its_scope(grpc_channel, make_caller):
    for scope in sorted(SCOPES):
        caller = make_caller("demo", *(set(SCOPES) - {scope}))
        for method in ALL:
            if method.scopes != {scope}:
                continue
            code, reason, details = call_bytes(grpc_channel, method, b"", metadata=caller.metadata)
            assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
            assert details["ErrorInfo"].metadata == {"scope": scope}


def test_the_scope_of_the_operator_is_worth_nothing_on_a_key_of_one_business(make_caller):
    caller = make_caller("demo")
    request = catalog_pb.CreateBusinessRequest(
        business_id="mine",
        business=catalog_pb.Business(display_name="Mine"),
        request_id=a_request_id(),
    )

    code, reason, _ = refusal(caller.catalog.CreateBusiness, request, metadata=caller.metadata)

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")


def naming(method, business_id):
    """Return a request of a method that names a business, and the name."""
    collections = {
        "Calendar": "calendars",
        "AppointmentType": "appointmentTypes",
        "Schedule": "schedules",
        "Closure": "closures",
        "Hold": "holds",
        "Booking": "bookings",
    }
    name = f"businesses/{business_id}"
    if method.name_field != "parent":
        for suffix, collection in collections.items():
            if suffix in method.name and method.name != "CreateHandoff":
                last = "anna"
                if collection in {"holds", "bookings"}:
                    last = "7d444840-9dc0-41d1-a245-5ffdce74fad2"
                name = f"{name}/{collection}/{last}"
                break
    request = method.request_class()
    target, _, field = method.name_field.rpartition(".")
    setattr(getattr(request, target) if target else request, field, name)
    return request, name


@pytest.mark.parametrize(
    "method", [each for each in ALL if each.read_name], ids=lambda method: method.name
)
def test_another_business_is_not_found(grpc_channel, stranger, shop, method):
    """Also where the request is malformed otherwise: who may not see it learns nothing of it."""
    request, name = naming(method, shop.business_id)

    code, reason, details = call_bytes(
        grpc_channel, method, request.SerializeToString(), metadata=stranger.metadata
    )

    if method.scopes == {"operator"}:
        assert reason == "SCOPE_MISSING"
    else:
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
        assert details["ErrorInfo"].metadata == {"name": name}


@pytest.mark.parametrize("business", ["absent", "shop"])
def test_absent_and_of_another_business_look_alike(shop, stranger, business):
    absent = "7d444840-9dc0-41d1-a245-5ffdce74fad2"
    caller = shop if business == "shop" else stranger
    name = f"{shop.business}/bookings/{absent}"

    code, _, details = refusal(
        caller.bookings.GetBooking,
        booking_pb.GetBookingRequest(name=name),
        metadata=caller.metadata,
    )

    assert code is grpc.StatusCode.NOT_FOUND
    assert details["ErrorInfo"].metadata == {"name": name}
    assert set(details) == {"ErrorInfo"}
