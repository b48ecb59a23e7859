"""Debian's Chromium, headless, for pages on loopback."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from midipool_demo.stage import Stage

# It asks nobody on the network for anything.
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def open_page(browser: Browser, stage: Stage, player: str) -> tuple[Page, list[str]]:
    """A player's page in a browser profile of its own, and what goes wrong in it."""
    return open_address(browser, stage.pages()[player])


def open_address(browser: Browser, address: str) -> tuple[Page, list[str]]:
    """The same by an address."""
    page = browser.new_context(viewport={"width": 1000, "height": 900}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.extend([said.text] if said.type == "error" else []))
    page.set_default_timeout(10_000)
    page.goto(address)
    return page, wrong
