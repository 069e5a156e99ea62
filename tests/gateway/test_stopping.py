"""A server that stops says goodbye through its gateway too."""

import asyncio

from service.cli.connection import Access, connect
from service.cli.running import read_operator_key
from service.cli.seed import seed
from service.cli.supervisor import running_server
from service.settings import Settings
from tests.gateway.requests import a_window
from tests.gateway.web import Web


async def test_a_watch_through_the_gateway_ends_with_a_goodbye(database_url, tmp_path):
    settings = Settings(
        data_folder=tmp_path,
        database_url=database_url,
        listen_address="127.0.0.1:0",
        gateway_port=0,
        log_level="WARNING",
    )
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def watch(port, key):
        frames = []
        with Web(port, key).events("/v1/businesses/demo/slots:events", a_window()) as events:
            for event in events:
                frames.append(event.frame)
                loop.call_soon_threadsafe(begun.set)
        return frames

    async with running_server(settings, lambda text: None) as server:
        key = read_operator_key(tmp_path)
        assert key is not None
        async with connect(Access(target=server.target, api_key=key), "demo") as client:
            await seed(client, "demo")
        port = int(server.gateway.rpartition(":")[2])
        watching = asyncio.create_task(asyncio.to_thread(watch, port, key))
        await begun.wait()
    frames = await watching

    assert frames[-1]["goodbye"]["reason"] == "REASON_DRAIN"
