"""What can come between a page and the service; each lasts until its block ends."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from tests.robustness.cluster.proxy import FaultProxy, Way
from tests.web.stack import WebStack
from tests.web.visitor import Visitor

CUT_AFTER_BYTES = 40
"""Less than any frame, so that a stream ends in the middle of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A visitor who came by a proxy, and what is behind it."""

    stack: WebStack
    proxy: FaultProxy
    visitor: Visitor


Fault = Callable[[Scene], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def workers_killed(scene: Scene) -> AsyncIterator[None]:
    scene.stack.workers.switch_off()
    try:
        yield
    finally:
        await scene.stack.workers.switch_on()


@asynccontextmanager
async def workers_frozen(scene: Scene) -> AsyncIterator[None]:
    scene.stack.workers.freeze()
    try:
        yield
    finally:
        scene.stack.workers.thaw()


@asynccontextmanager
async def gateway_killed(scene: Scene) -> AsyncIterator[None]:
    scene.stack.envoy.switch_off()
    try:
        yield
    finally:
        scene.stack.envoy.switch_on()


@asynccontextmanager
async def gateway_frozen(scene: Scene) -> AsyncIterator[None]:
    scene.stack.envoy.freeze()
    try:
        yield
    finally:
        scene.stack.envoy.thaw()


@asynccontextmanager
async def stream_cut_in_the_middle(scene: Scene) -> AsyncIterator[None]:
    scene.proxy.cut_after(CUT_AFTER_BYTES, ways=(Way.TO_CLIENT,))
    try:
        yield
    finally:
        scene.proxy.heal()


@asynccontextmanager
async def network_silent(scene: Scene) -> AsyncIterator[None]:
    scene.proxy.blackhole()
    try:
        yield
    finally:
        scene.proxy.heal()


@asynccontextmanager
async def network_gone(scene: Scene) -> AsyncIterator[None]:
    context = scene.visitor.page.context
    await context.set_offline(True)
    try:
        yield
    finally:
        await context.set_offline(False)


FAULTS: dict[str, Fault] = {
    "the workers are killed": workers_killed,
    "the workers stand still": workers_frozen,
    "the gateway is killed": gateway_killed,
    "the gateway stands still": gateway_frozen,
    "the stream is cut in the middle": stream_cut_in_the_middle,
    "the network is silent": network_silent,
    "the network is gone": network_gone,
}


@asynccontextmanager
async def tab_frozen(visitor: Visitor) -> AsyncIterator[None]:
    """Let the pages of the browser stand still, as those of a machine that sleeps.

    Not by Page.setWebLifecycleState: a page that is seen goes on, whatever that is told.
    """
    browser = visitor.page.context.browser
    assert browser is not None
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    renderers = [each["id"] for each in told["processInfo"] if each["type"] == "renderer"]
    for process_id in renderers:
        os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        for process_id in renderers:
            os.kill(process_id, signal.SIGCONT)
        await session.detach()
