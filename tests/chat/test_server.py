"""The chat page's server, as a page speaks to it, over a real socket."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from uvicorn import Config

from slotcast import Client, Customer, Slot
from slotcast_chat.benchmark.business import make_business
from slotcast_chat.benchmark.scenario import load_scenarios
from slotcast_chat.server.app import build_app
from slotcast_chat.server.chat import ChatLimits, running_chat
from slotcast_chat.server.chips import slot_of
from slotcast_chat.server.command import PageServer

BUSINESS = "salon"
ANSWER_SECONDS_MAX = 20


@dataclass
class Page:
    """What a page of a conversation hears, and what it sends."""

    http: httpx2.AsyncClient
    conversation: str
    heard: list = field(default_factory=list)
    last_id: str = "0"

    async def send(self, **body):
        path = f"/api/conversations/{self.conversation}/messages"
        return await self.http.post(path, json=body)

    async def listen(self, until):
        """Hear what was not heard yet, until an event fits; return it."""
        path = f"/api/conversations/{self.conversation}/events?after={self.last_id}"
        kind = ""
        async with asyncio.timeout(ANSWER_SECONDS_MAX), self.http.stream("GET", path) as response:
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    self.heard.append((kind, json.loads(value)))
                    if until(*self.heard[-1]):
                        return self.heard[-1][1]
        raise AssertionError("The stream ended.")


@asynccontextmanager
async def serving(client, limits=None):
    async with running_chat(client, BUSINESS, limits) as chat:
        config = Config(build_app(chat), host="127.0.0.1", port=0, log_level="error")
        config.timeout_graceful_shutdown = 1
        server = PageServer(config)
        running = asyncio.create_task(server.serve())
        await server.is_up.wait()
        try:
            async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http:
                yield http
        finally:
            server.should_exit = True
            await chat.close()
            await running


@pytest.fixture
async def client(start_server, operator_key, monkeypatch):
    monkeypatch.delenv("SLOTCAST_CHAT_MODEL_URL", raising=False)
    target = await start_server(public_url="https://book.example")
    async with Client(target, api_key=operator_key, business=BUSINESS) as client:
        await make_business(client, BUSINESS, load_scenarios()[0], datetime.now(UTC))
        yield client


@pytest.fixture
async def http(client):
    async with in_a_task(serving(client)) as http:
        yield http


@asynccontextmanager
async def in_a_task(block):
    """Enter and leave a block in one task: a fixture's two halves run in different ones."""
    entered, done = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def run():
        async with block as value:
            entered.set_result(value)
            await done.wait()

    task = asyncio.create_task(run())
    await asyncio.wait((task, entered), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield entered.result() if entered.done() else await task
    finally:
        done.set()
        await task


async def begin(http, zone="Europe/Berlin"):
    response = await http.post("/api/conversations", json={"timeZone": zone})
    return Page(http, response.json()["conversation"])


def said(kind, values):
    return kind == "said" and bool(values["chips"])


async def asked_for_times(http):
    page = await begin(http)
    await page.send(text="A haircut with Anna tomorrow morning")
    return page, (await page.listen(said))["chips"]


async def test_offered_times_go_grey_when_another_takes_them_and_come_back(http, client):
    page, chips = await asked_for_times(http)
    time = chips[0]["time"]
    taken = slot_of(time, BUSINESS)

    hold = await client.hold_slot(
        Slot(appointment_type="haircut", calendar="anna", start=taken.start, end=taken.end),
        holder="somebody-else",
    )
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "GONE")
    await client.release_hold(hold)
    told = await page.listen(
        lambda kind, told: kind == "chips" and told["states"].get(time) == "OPEN"
    )

    assert not told["isStale"]


async def test_a_taken_time_that_is_listed_again_stays_grey_until_it_is_free(http, client):
    page, chips = await asked_for_times(http)
    time = chips[0]["time"]
    hold = await client.hold_slot(slot_of(time, BUSINESS), holder="somebody-else")
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "GONE")

    await page.send(text="hmm let me think")
    await page.listen(said)
    told = await page.listen(lambda kind, told: kind == "chips")
    assert told["states"][time] == "GONE"

    await client.release_hold(hold)
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "OPEN")


async def test_times_of_another_length_go_grey_and_come_back_too(http, client):
    page = await begin(http)
    await page.send(text="A haircut of 60 minutes with Anna tomorrow morning")
    time = (await page.listen(said))["chips"][0]["time"]
    assert time.endswith("|60")
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "OPEN")
    asked = slot_of(time, BUSINESS)

    # Only the second half of it is taken: what starts when it does stays open.
    half = timedelta(minutes=30)
    hold = await client.hold_slot(replace(asked, start=asked.start + half), holder="somebody-else")
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "GONE")
    await client.release_hold(hold)
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "OPEN")


async def test_a_time_that_is_not_watched_is_not_shown_as_live_and_can_be_held(http, client):
    page = await begin(http)
    far = datetime.now(UTC) + timedelta(days=70)
    await page.send(text=f"A haircut with Anna on {far:%d %B %Y} in the morning")
    time = (await page.listen(said))["chips"][0]["time"]
    told = await page.listen(lambda kind, told: kind == "chips" and time in told["states"])
    assert set(told["states"].values()) == {"NOT_LIVE"}

    await page.send(time=time)

    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "HELD")


async def test_a_chip_that_is_clicked_is_held_and_shown_so(http, client):
    page, chips = await asked_for_times(http)
    time = chips[1]["time"]

    response = await page.send(time=time)

    assert response.status_code == 204
    await page.listen(lambda kind, told: kind == "chips" and told["states"].get(time) == "HELD")
    slots = (values for kind, values in page.heard if kind == "said")
    assert "held for you until" in list(slots)[-1]["text"]


async def test_a_yes_that_was_written_before_the_sum_up_was_shown_books_nothing(http, client):
    page, chips = await asked_for_times(http)
    await page.send(time=chips[0]["time"])
    await page.listen(lambda kind, told: kind == "said" and "held" in told["text"])
    seen = int(page.last_id)

    # All three were written at once; the first two only ask for what is to be summed up.
    answers = [await page.send(text=text, seen=seen) for text in ("Ada", "No", "Yes")]

    assert [answer.status_code for answer in answers] == [204, 204, 412]
    await page.listen(lambda kind, told: kind == "said" and "Shall I book it?" in told["text"])
    assert (await page.send(text="Yes", seen=int(page.last_id))).status_code == 204
    await page.listen(lambda kind, told: kind == "said" and told["isBooked"])


async def test_what_was_offered_before_a_booking_cannot_be_chosen_after_it(http, client):
    page, chips = await asked_for_times(http)
    for body in ({"time": chips[0]["time"]}, {"text": "Ada"}, {"text": "No"}, {"text": "Yes"}):
        await page.send(**body)
    await page.listen(lambda kind, told: kind == "said" and told["isBooked"])
    told = await page.listen(lambda kind, told: kind == "chips")

    await page.send(time=chips[1]["time"])
    said = await page.listen(lambda kind, told: kind == "said")

    assert told["states"] == {}
    assert said["text"].startswith("I no longer offer that time.")


async def test_the_chat_says_by_itself_that_the_form_has_booked(http, client):
    page, chips = await asked_for_times(http)
    await page.send(time=chips[0]["time"])
    await page.send(text="I'd rather fill in a form")
    link = (await page.listen(lambda kind, told: kind == "said" and told["link"]))["link"]

    assert link.startswith("https://book.example/book/#")
    redeemed = await client.redeem_handoff(link.rpartition("#")[2], holder="the-form")
    await client.book(redeemed.hold, holder="the-form", customer=Customer(display_name="Ada"))
    told = await page.listen(lambda kind, told: kind == "said" and told["isBooked"])

    assert told["text"].startswith("The form has booked it.")


async def test_what_a_page_missed_is_told_when_it_comes_back(http):
    page, chips = await asked_for_times(http)
    again = Page(http, page.conversation)

    told = await again.listen(said)

    assert told["chips"] == chips
    assert ("heard", {"text": "A haircut with Anna tomorrow morning"}) in again.heard


async def test_whoever_does_not_know_the_conversation_learns_nothing_of_it(http):
    stranger = Page(http, "chat-guessed")

    assert (await stranger.send(text="Hello")).status_code == 404
    assert (await http.get("/api/conversations/chat-guessed/events")).status_code == 404


MALFORMED = [
    (b"text=Hello", "application/x-www-form-urlencoded", 415),
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b'{"text": 1}', "application/json", 400),
    (b'{"text": "Hello", "seen": "1"}', "application/json", 400),
    (b'{"text": "' + b"a" * 2001 + b'"}', "application/json", 400),
    (b" " * 20_000, "application/json", 413),
]


async def test_what_is_malformed_or_too_long_is_refused(http):
    page = await begin(http)
    path = f"/api/conversations/{page.conversation}/messages"

    statuses = [
        (await http.post(path, content=content, headers={"content-type": kind})).status_code
        for content, kind, _ in MALFORMED
    ]

    assert statuses == [status for _, _, status in MALFORMED]


async def test_another_name_of_this_machine_is_refused_and_scripts_of_others_are_not_run(http):
    page = await http.get("/")
    rebound = await http.get("/", headers={"host": "evil.example"})

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert rebound.status_code == 400


async def test_beyond_so_many_conversations_the_idlest_is_forgotten(client):
    async with serving(client, ChatLimits(conversations_max=2)) as http:
        first, second, third = [await begin(http) for _ in range(3)]

        statuses = [
            (await page.send(text="What do you offer?")).status_code
            for page in (first, second, third)
        ]

    assert statuses == [404, 204, 204]
