"""`python -m tests.web.measure`: how fast one visitor sees another's deed, and how fast it heals.

It prints all figures, and ends with 1 where one of them is above its bound. As everywhere, it needs
the machine for itself.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import expect
from rich.console import Console

from tests.robustness.cluster.proxy import Address, FaultProxy
from tests.web.browser import a_browser
from tests.web.faults import FAULTS, Scene, tab_frozen
from tests.web.stack import running_web, told_for
from tests.web.timing import (
    Figures,
    answered_at,
    gone_at,
    ms_until_stale,
    note_end,
    note_staleness,
    now_ms,
)
from tests.web.visitor import a_slot, a_visitor

GONE_MS_MAX = 300
HEAL_MS_MAX = 5_000
HEARTBEAT_SECONDS, STALE_AFTER_SECONDS = 2.5, 12.0
"""As a server has them where nothing is set."""
GREY_MS_MAX = 1000 * STALE_AFTER_SECONDS + 100
"""Counted from the fault: what was under way at that moment still comes, and is drawn."""
BOOK_DIRECTLY = """
async ([path, key, body]) => {
  const now = () => performance.timeOrigin + performance.now();
  const headers = {"content-type": "application/json", authorization: `Bearer ${key}`};
  const sentAt = now();
  const answer = await fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(await answer.text());
  return [sentAt, now()];
}
"""


class Measuring:
    """Opens visitors, and collects what is measured."""

    def __init__(self, browser, stack, windows):
        self.browser = browser
        self.stack = stack
        self.windows = windows
        self.failed = []
        self.console = Console(width=140)

    async def visitor(self, shop, url=None):
        opened = a_visitor(self.browser, url or self.stack.url, shop)
        visitor = await self.windows.enter_async_context(opened)
        await visitor.pick()
        return visitor

    def tell(self, figures, ms_max):
        """Print figures; with a bound, say whether they keep it."""
        verdict = ""
        if ms_max is not None:
            verdict = f"  (bound {ms_max:.0f} ms: {'kept' if figures.max <= ms_max else 'BROKEN'})"
            if figures.max > ms_max:
                self.failed.append(figures.what)
        self.console.print(f"{figures}{verdict}", highlight=False)


async def measure_holds(measuring, shop, rounds):
    """One visitor chooses a time in the widget; when does it go for the other?"""
    first, second = await measuring.visitor(shop), await measuring.visitor(shop)
    ms = []
    for _ in range(rounds):
        slot = await a_slot(shop)
        await second.look_at(slot)
        await note_end(second.time(slot))
        await first.choose(slot)
        gone = await gone_at(second.page)
        ms.append(gone - await answered_at(first.page, "HoldSlot"))
        await first.button("Back").click()
        await expect(second.time(slot)).to_be_visible()
    measuring.tell(
        Figures("a time is chosen: answer to one -> gone for the other", ms), GONE_MS_MAX
    )


async def measure_bookings(measuring, shop, rounds):
    """One visitor's page books at once, with no hold before; when does it go for the other?"""
    first, second = await measuring.visitor(shop), await measuring.visitor(shop)
    from_answer, from_asking = [], []
    for number in range(rounds):
        slot = await a_slot(shop, number=0)
        await second.look_at(slot)
        await note_end(second.time(slot))
        choice = {
            "appointmentType": slot.appointment_type,
            "calendar": slot.calendar,
            "startTime": slot.start.isoformat().replace("+00:00", "Z"),
        }
        body = {
            "requestId": f"measured-{number}",
            "appointments": [{"slot": choice}],
            "customer": {"displayName": "Kim"},
        }
        path = f"/v1/businesses/{shop.business}/bookings"
        asked, answered = await first.page.evaluate(BOOK_DIRECTLY, [path, shop.page_key, body])
        gone = await gone_at(second.page)
        from_answer.append(gone - answered)
        from_asking.append(gone - asked)
    told = Figures("a time is booked: answer to one -> gone for the other", from_answer)
    measuring.tell(told, GONE_MS_MAX)
    told = Figures("a time is booked: asked by one -> gone for the other", from_asking)
    measuring.tell(told, None)


async def measure_faults(measuring, shop):
    """Break what lies between; when is it greyed, and how long after the return is it healed?"""
    host, _, port = measuring.stack.url.removeprefix("http://").rpartition(":")
    async with FaultProxy(Address(host, int(port))) as proxy:
        for name, fault in FAULTS.items():
            visitor = await measuring.visitor(shop, url=f"http://{proxy.address}")
            await expect(visitor.times.first).to_have_attribute("aria-disabled", "false")
            await note_staleness(visitor.widget)
            scene = Scene(stack=measuring.stack, proxy=proxy, visitor=visitor)
            began = now_ms()
            async with fault(scene):
                grey_ms = await ms_until_stale(visitor.page, True, began)
            returned = now_ms()
            heal_ms = await ms_until_stale(visitor.page, False, began + grey_ms) + began + grey_ms
            measuring.tell(Figures(f"{name}: until it is greyed", [grey_ms]), GREY_MS_MAX)
            healed = Figures(f"{name}: from the return until it is healed", [heal_ms - returned])
            measuring.tell(healed, HEAL_MS_MAX)


async def measure_frozen_tab(measuring, shop):
    """Freeze a tab until all that it knows is stale; how long after its return is it healed?"""
    visitor = await measuring.visitor(shop)
    await expect(visitor.times.first).to_have_attribute("aria-disabled", "false")
    await note_staleness(visitor.widget)
    began = now_ms()
    async with tab_frozen(visitor):
        await told_for(measuring.stack, shop, STALE_AFTER_SECONDS + 1)
    returned = now_ms()
    grey_ms = await ms_until_stale(visitor.page, True, began) + began - returned
    heal_ms = await ms_until_stale(visitor.page, False, returned)
    measuring.tell(
        Figures("the tab is frozen: from its return until it is greyed", [grey_ms]), None
    )
    healed = Figures("the tab is frozen: from its return until it is healed", [heal_ms])
    measuring.tell(healed, HEAL_MS_MAX)


async def measure(rounds):
    """Measure all, and return what broke its bound."""
    with tempfile.TemporaryDirectory(prefix="slotcast-") as folder:
        async with (
            running_web(
                Path(folder),
                heartbeat_seconds=HEARTBEAT_SECONDS,
                stale_after_seconds=STALE_AFTER_SECONDS,
            ) as stack,
            a_browser() as browser,
            AsyncExitStack() as windows,
        ):
            measuring = Measuring(browser, stack, windows)
            for part in (measure_holds, measure_bookings):
                async with stack.a_shop() as shop:
                    await part(measuring, shop, rounds)
            async with stack.a_shop() as shop:
                await measure_faults(measuring, shop)
                await measure_frozen_tab(measuring, shop)
            return measuring.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    failed = asyncio.run(measure(parser.parse_args().rounds))
    for what in failed:
        sys.stderr.write(f"above its bound: {what}\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
