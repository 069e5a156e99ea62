"""The session of an assistant with the tools: over streamable HTTP, or in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from slotcast_chat.benchmark.service import Access
from slotcast_mcp.clients import Clients
from slotcast_mcp.server import build_server
from slotcast_mcp.web import Door, WebServer

WAYS = ("http", "memory")


@asynccontextmanager
async def open_session(access: Access, business: str, way: str) -> AsyncIterator[McpClient]:
    """Serve the tools of a business, and open a session with them, until the block ends."""
    async with AsyncExitStack() as stack:
        clients = Clients(access.target, business)
        stack.push_async_callback(clients.close)
        if way == "memory":
            client = clients.with_key(access.api_key)
            session = McpClient(build_server(lambda _: client), cache=None)
        else:
            url = await stack.enter_async_context(_serving(clients))
            headers = {"authorization": f"Bearer {access.api_key}"}
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=30))
            session = McpClient(streamable_http_client(url, http_client=http), cache=None)
        yield await stack.enter_async_context(session)


@asynccontextmanager
async def _serving(clients: Clients) -> AsyncIterator[str]:
    server = WebServer(clients, Door(port=0))
    serving = asyncio.create_task(server.serve())
    await server.is_up.wait()
    try:
        yield server.url
    finally:
        server.should_exit = True
        await serving
