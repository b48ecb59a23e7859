"""Meters and playhead as they are seen: what is painted is where it belongs, at each width."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Locator, Page

from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.page.host import PageHost
from tests.client.page.looks import chromium_page
from tests.client.page.running import Running, served_by
from tests.client.page.stuffed import OTHERS, in_its_room, stuffed

pytestmark = pytest.mark.timeout(60)
# Of style.css, light.
WELL, LOW, BEHIND = (0xDF, 0xE5, 0xEA), (0x16, 0xA3, 0x4A), (0xF4, 0xF6, 0xF8)
SILENT_OPACITY = 0.55
LOUD, QUIET = 0.05, 0.0
Colour = tuple[int, int, int]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Running]:
    """Who is first sounds, and nobody else."""
    client = stuffed(tmp_path / "settings.json")
    audio = client.player.audio
    assert audio is not None
    voices = {name: Level(QUIET, QUIET) for name in OTHERS} | {OTHERS[0]: Level(LOUD, LOUD)}
    host = PageHost()
    with in_its_room(client):
        audio.engine.levels = Levels([Level(), Level()], Level(), voices)
        host.enter(client)
        async with served_by(host) as made:
            yield made


async def seen(meter: Locator) -> list[Colour]:
    """The colours in a meter's middle, a tenth and nine tenths up."""
    await meter.scroll_into_view_if_needed()
    picture = Image.open(io.BytesIO(await meter.screenshot())).convert("RGB")
    width, height = picture.size
    pixels = np.asarray(picture)
    return [tuple(pixels[round(height * (1 - at)), width // 2]) for at in (0.1, 0.9)]


async def until_seen(meter: Locator, colours: list[Colour]) -> None:
    """What is blended is rounded."""
    for _ in range(50):
        found = await seen(meter)
        if np.abs(np.array(found, int) - np.array(colours, int)).max() <= 2:
            return
    assert found == colours


def faded(colour: Colour) -> Colour:
    red, green, blue = (
        round(SILENT_OPACITY * one + (1 - SILENT_OPACITY) * behind)
        for one, behind in zip(colour, BEHIND, strict=True)
    )
    return red, green, blue


# How far the first strip is from where strips begin.
GAP_PX = """() => {
  const [strips, first] = [".strips", ".strip"].map((one) => document.querySelector(one));
  return first.offsetLeft - parseFloat(getComputedStyle(strips).paddingLeft);
}"""


def meter_of(page: Page, name: str) -> Locator:
    return page.locator(f'[data-strip="{name}"] .meter')


async def test_each_meter_is_painted_where_its_strip_is(room: Running) -> None:
    async with chromium_page(room.server.address) as (page, wrong):
        await page.emulate_media(color_scheme="light")
        for width in (1400, 800, 500):
            await page.set_viewport_size({"width": width, "height": 900})
            await until_seen(meter_of(page, OTHERS[0]), [LOW, WELL])
            await until_seen(meter_of(page, OTHERS[-1]), [WELL, WELL])
            assert abs(await page.evaluate(GAP_PX)) <= 1
        await page.get_by_role("button", name=f"mute {OTHERS[0]}", exact=True).click()
        await until_seen(meter_of(page, OTHERS[0]), [faded(LOW), faded(WELL)])
        assert wrong == []
