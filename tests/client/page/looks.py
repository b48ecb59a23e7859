"""The page in Debian's Chromium: what it looks like at four widths, and what keeps people out."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.browser import ARGUMENTS

ROOT = Path(__file__).parents[3]
AXE = Path(__file__).parent / "vendor/axe-core/axe.min.js"
WIDTHS = (360, 1024, 1560, 1920)
# Those at which nothing is where it was at another; a scan takes a while.
SCANNED = (360, 1920)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Kept by who wants to look at them.
PICTURES = Path(os.environ.get("MIDIPOOL_PICTURES", ROOT / "bench-results" / "page-looks"))
AXE_RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const some = (nodes) => nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ");
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${some(nodes)}`);
}"""
# What sticks out of the page, or is cut off in its own box without a title that says all of it.
STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("#page *")].filter((element) => {
    const { right, width } = element.getBoundingClientRect();
    return width > 0 && right > wide + 1 && !element.closest(".strips, .scrolls, .uplot");
  });
  const boxes = document.querySelectorAll("input.field, output, button, td, select");
  const cut = [...boxes].filter((element) => {
    return element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1
      && getComputedStyle(element).textOverflow !== "ellipsis";
  });
  const named = (what, list) =>
    list.slice(0, 5).map((element) => `${what}: ${element.outerHTML.slice(0, 120)}`);
  return [...named("sticks out", out), ...named("is cut", cut)];
}"""


@asynccontextmanager
async def chromium_page(address: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page, and what goes wrong in it."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        page = await browser.new_page()
        page.set_default_timeout(10_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.extend([said.text] if said.type == "error" else []))
        page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
        await page.goto(address)
        yield page, wrong
        await browser.close()


async def looked_at(page: Page, name: str) -> list[str]:
    """What is wrong with how it looks, light and dark; a picture of each is kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 (nobody waits for us)
    found: list[str] = []
    await page.evaluate(AXE.read_text())
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            await page.evaluate("scrollTo(0, 0)")
            await page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
            await page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            seen: list[Any] = await page.evaluate(STICKS_OUT) if scheme == "light" else []
            if width in SCANNED:
                seen += await page.evaluate(AXE_RUN)
            found += [f"{width} px, {scheme}: {text}" for text in seen]
    return found
