"""axe, which finds what keeps people out, run in a page with all its shadow roots."""

from functools import cache

from tests.web.browser import WEB

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async (tags) => {
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.flat()} ${failureSummary}`));
}
"""


async def violations(page):
    """Return a line for each thing on the page that breaks a rule."""
    if not await page.evaluate("'axe' in window"):
        # Not as a script of the page, whose policy lets no stranger's in.
        await page.evaluate(_source())
    return await page.evaluate(RUN, RULES)


@cache
def _source():
    return (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text()
