"""What the page's benchmark has Chromium note down, and its clock."""

import time
from dataclasses import dataclass

from playwright.sync_api import Browser, Page

TRIES = 60
# When strips are there and a meter was painted, from the navigation on.
USABLE_SCRIPT = """
window.benchUsable = 0;
const look = () => {
  const meter = document.querySelector(".strip.player .meter");
  if (meter && meter.looks) window.benchUsable = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# The time stamps that Chromium gives input events of one element.
TIMES_SCRIPT = """label => {
  window.benchTimes = [];
  addEventListener("input", (event) => {
    if (event.target.getAttribute("aria-label") === label) window.benchTimes.push(event.timeStamp);
  }, true);
}"""


@dataclass(frozen=True)
class Ticking:
    """The page's clock beside CLOCK_MONOTONIC."""

    offset_s: float
    error_s: float

    def host_s(self, page_ms: float) -> float:
        """By CLOCK_MONOTONIC."""
        return page_ms / 1000 + self.offset_s


def ticking_of(page: Page) -> Ticking:
    """By the quickest of many questions."""
    best = Ticking(0.0, float("inf"))
    for _ in range(TRIES):
        before_s = time.monotonic()
        page_ms = float(page.evaluate("performance.now()"))
        after_s = time.monotonic()
        if (after_s - before_s) / 2 < best.error_s:
            middle_s = (before_s + after_s) / 2
            best = Ticking(middle_s - page_ms / 1000, (after_s - before_s) / 2)
    return best


def open_timed(browser: Browser, address: str) -> Page:
    """The page in a browser profile of its own, which notes when it is usable."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(USABLE_SCRIPT)
    page.goto(address)
    return page
