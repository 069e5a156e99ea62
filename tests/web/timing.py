"""When things happened, by the clocks of the pages themselves."""

import time
from statistics import median
from typing import NamedTuple

# Runs before any script of a page: notes when each answer of a call was there.
NOTE_ANSWERS = """
(() => {
  const fetch = window.fetch;
  const now = () => performance.timeOrigin + performance.now();
  window.answeredAt = {};
  window.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    const url = typeof input === "string" ? input : input.url ?? String(input);
    window.answeredAt[url.slice(url.lastIndexOf("/") + 1)] = now();
    return answer;
  };
})();
"""

# Notes when a button goes, or cannot be pressed any more, or has become one for another time.
NOTE_END = """
(button) => {
  const label = button.textContent;
  const root = button.getRootNode();
  const isThere = () => button.isConnected && !button.disabled
    && button.getAttribute("aria-disabled") !== "true" && button.textContent === label;
  window.goneAt = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (isThere()) return;
      observer.disconnect();
      resolve(performance.timeOrigin + performance.now());
    });
    observer.observe(root, {subtree: true, childList: true, attributes: true, characterData: true});
  });
}
"""

# Notes when the times become stale, and when they are fresh again.
NOTE_STALENESS = """
(widget) => {
  const isStale = () => widget.querySelector('[data-is-stale="true"]') !== null;
  window.staleness = [[0, isStale()]];
  new MutationObserver(() => {
    if (isStale() === window.staleness.at(-1)[1]) return;
    window.staleness.push([performance.timeOrigin + performance.now(), isStale()]);
  }).observe(widget, {subtree: true, childList: true, attributes: true});
}
"""
NEXT_STALENESS = """
([isStale, after]) => window.staleness.find(([at, is]) => at >= after && is === isStale)?.[0]
"""


class Figures(NamedTuple):
    """Some measured times, in milliseconds."""

    what: str
    ms: list[float]

    @property
    def median(self) -> float:
        return median(self.ms)

    @property
    def max(self) -> float:
        return max(self.ms)

    def __str__(self) -> str:
        if len(self.ms) == 1:
            return f"{self.what}: {self.max:.0f} ms"
        return (
            f"{self.what}: median {self.median:.0f} ms, max {self.max:.0f} ms"
            f" ({len(self.ms)} rounds)"
        )


async def note_end(button):
    """Begin to watch for the end of a button."""
    await button.evaluate(NOTE_END)


async def gone_at(page):
    """Return when it went."""
    return await page.evaluate("window.goneAt")


async def answered_at(page, method):
    """Return when the last answer of a method was there."""
    return await page.evaluate("(method) => window.answeredAt[method]", method)


async def note_staleness(widget):
    """Begin to watch whether the times are stale."""
    await widget.evaluate(NOTE_STALENESS)


async def ms_until_stale(page, is_stale, after_ms):
    """Wait until the times are stale, or fresh, and return how long after an instant that was."""
    at = await page.wait_for_function(NEXT_STALENESS, arg=[is_stale, after_ms])
    return await at.json_value() - after_ms


def now_ms():
    """Return the time by the clock that pages have too."""
    return time.time() * 1000
