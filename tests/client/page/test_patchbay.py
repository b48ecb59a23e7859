"""Who hears whom, on the page in a browser: by hand, by key and as a list."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from midipool.errors import InvalidValue, Refused
from midipool.graph.editing import edited
from midipool.graph.graph import Graph, Link
from midipool.graph.nodes import CLICK
from midipool.messages import Error, GraphEdit, Medium, Ok
from midipool_client.page.host import PageHost
from midipool_client.player import Player
from tests.client.page.looks import chromium_page
from tests.client.page.running import Running, running
from tests.client.page.stuffed import in_its_room, stuffed

pytestmark = pytest.mark.timeout(60)


class Room:
    """A server's part of it, and who asks."""

    def __init__(self, player: Player) -> None:
        self.known = player.graph
        graph = Graph()
        for name in ("me", "drums", "bass"):
            graph = graph.entered(name)
        for name in ("fuzz", "echo"):
            graph = graph.entered(name, "module")
        self.known.graph, self.known.known = graph, True
        player.conduct = self.conduct  # type: ignore[method-assign, assignment]

    def conduct(self, edit: GraphEdit, answer: Callable[[Ok | Error | None], None]) -> None:
        try:
            self.known.graph = edited(self.known.graph, edit)
            answer(Ok(1, 0, 0, 0))
        except Refused as error:
            answer(Error(error.code, error.text))
        except InvalidValue as error:
            answer(Error("bad_value", str(error)))

    def link(self, source: str, target: str, medium: Medium = "audio") -> Link | None:
        return self.known.graph.link(source, target, medium)


@pytest.fixture
async def running_page(tmp_path: Path) -> AsyncIterator[tuple[Running, Room]]:
    client = stuffed(tmp_path / "settings.json")
    room = Room(client.player)
    host = PageHost()
    with in_its_room(client):
        host.enter(client)
        async with running(host) as made:
            looking = asyncio.create_task(host.run())
            yield made, room
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.02)


async def drag(page: Page, source: str, target: str) -> None:
    begin = await page.locator(f"[data-out={source}]").bounding_box()
    end = await page.locator(f"[data-in={target}]").bounding_box()
    assert begin is not None
    assert end is not None
    await page.mouse.move(begin["x"] + 20, begin["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(begin["x"] + 150, begin["y"] + 30, steps=3)
    await expect(page.locator(".patchbay .pull")).to_have_count(1)
    await page.mouse.move(end["x"] + 10, end["y"] + 10, steps=3)
    await page.mouse.up()


async def test_lines_are_drawn_by_hand_by_key_and_in_a_list(
    running_page: tuple[Running, Room],
) -> None:
    running, room = running_page
    async with chromium_page(running.server.address) as (page, wrong):
        await page.set_viewport_size({"width": 1024, "height": 1400})
        panel = page.locator(".panel.graph")
        await panel.scroll_into_view_if_needed()
        lines = panel.locator("g.line")
        await expect(lines).to_have_count(6 + 2 * 6)
        # A line that is there is looked at, and taken away.
        await drag(page, "drums", "bass")
        chosen = panel.get_by_role("group", name="drums to bass")
        level = chosen.get_by_label("drums to bass: level in dB")
        await level.fill("-6")
        await level.press("Enter")
        await until(lambda: getattr(room.link("drums", "bass"), "gain_db", 0) == -6.0)
        await expect(panel.locator("g.changed")).to_have_count(1)
        for label, hz in (("cut what is lower", "80"), ("cut what is higher", "8000")):
            corner = chosen.get_by_label(label)
            await corner.fill(hz)
            await corner.press("Enter")
        await until(lambda: getattr(room.link("drums", "bass"), "low_pass_hz", 0) == 8000)
        assert getattr(room.link("drums", "bass"), "high_pass_hz", 0) == 80
        corner = chosen.get_by_label("cut what is lower")
        await expect(corner).to_have_value("80")
        await corner.fill("off")
        await corner.press("Enter")
        await until(lambda: getattr(room.link("drums", "bass"), "high_pass_hz", 80) == 0)
        await chosen.get_by_role("button", name="unlink").click()
        await until(lambda: room.link("drums", "bass") is None)
        await expect(panel).to_contain_text("bass does not hear drums")
        await expect(page.locator(".strip.player").first).to_be_visible()
        # One that is not there is drawn; into the air, nothing happens.
        await drag(page, "drums", "bass")
        await until(lambda: room.link("drums", "bass") is not None)
        await page.locator("[data-out=drums]").hover()
        await page.mouse.down()
        await page.mouse.move(5, 5, steps=3)
        await page.mouse.up()
        await expect(page.locator(".patchbay .pull")).to_have_count(0)
        # By key: an output, then an input. What would close a circle is said.
        for source, target in (("fuzz", "echo"), ("echo", "fuzz")):
            await page.locator(f"[data-out={source}]").press("Enter")
            await page.locator(f"[data-in={target}]").press("Enter")
        await expect(page.locator("#said")).to_contain_text("echo → fuzz → echo")
        assert room.link("fuzz", "echo") is not None
        await page.locator("[data-out=fuzz]").press("Enter")
        await expect(panel).to_contain_text("From fuzz to")
        await page.locator("[data-out=fuzz]").press("Escape")
        await expect(panel).not_to_contain_text("From fuzz to")
        # What one hears, of MIDI; and as it was.
        await panel.get_by_role("button", name="MIDI").click()
        await page.locator("[data-in=me]").press("Enter")
        await panel.get_by_role("button", name="only the click").click()
        await until(lambda: room.link("drums", "me", "midi") is None)
        assert room.link(CLICK, "me", "midi") is not None
        await panel.get_by_role("button", name="audio").click()
        await panel.locator("summary").click()
        await panel.get_by_role("button", name="unlink drums from me").click()
        await until(lambda: room.link("drums", "me") is None)
        await panel.get_by_label("who hears", exact=True).last.select_option("me")
        await panel.get_by_label("who is heard", exact=True).last.select_option("drums")
        await panel.get_by_role("button", name="link", exact=True).last.click()
        await until(lambda: room.link("drums", "me") is not None)
        await panel.get_by_role("button", name="as usual").click()
        await until(lambda: room.known.graph.rules == ())
        assert wrong == []
