"""Whether a page fits its window."""

OVERHANGING = """
() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      const style = getComputedStyle(element);
      if (element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(style.overflowX))
        found.push(`${element.localName}.${element.className} scrolls sideways`);
    }
  };
  look(document);
  if (document.documentElement.scrollWidth > width) found.push("the page scrolls sideways");
  return found;
}
"""


async def scrolls_sideways(page):
    """Return what can be scrolled sideways, and should not be."""
    return await page.evaluate(OVERHANGING)
