"""The room's modules on the page in a browser: what is said of each, and what hosts do about it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from midipool.messages import (
    AddModule,
    MemberInfo,
    Message,
    ModuleNews,
    Modules,
    RemoveModule,
    RoomModule,
    StopModule,
)
from midipool_client.page.host import PageHost
from midipool_client.player import Player
from tests.client.page.looks import chromium_page
from tests.client.page.running import Running, running
from tests.client.page.stuffed import DELAY, SLOW, agreeing, in_its_room, stuffed

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[tuple[Running, Player, list[Message]]]:
    client = stuffed(tmp_path / "settings.json")
    player = client.player
    asked = agreeing(player)
    player.follower.members = [MemberInfo("me"), MemberInfo("drums", kind="instrument")]
    drums = RoomModule("drums", "drums", state="degraded", why=SLOW)
    echo = RoomModule("echo", "delay", {"beats": 0.5}, "stopped")
    player.modules.told(Modules([DELAY], [drums, echo]))
    host = PageHost()
    with in_its_room(client):
        host.enter(client)
        async with running(host) as made:
            looking = asyncio.create_task(host.run())
            yield made, player, asked
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def test_a_host_sees_how_each_does_and_changes_the_list(
    page: tuple[Running, Player, list[Message]],
) -> None:
    made, player, asked = page
    async with chromium_page(made.server.address) as (shown, wrong):
        panel = shown.locator(".panel.modules")
        drums, echo = panel.locator("[data-module=drums]"), panel.locator("[data-module=echo]")
        await expect(drums).to_contain_text("degraded")
        await expect(drums).to_contain_text(SLOW)
        await expect(echo).to_contain_text("beats 0.5")
        strip = shown.locator("[data-strip=drums]")
        await expect(strip.locator(".about")).to_contain_text("module: degraded")
        title = f"module: degraded: {SLOW}"
        await expect(strip.locator(".about")).to_have_attribute("title", title)
        await drums.get_by_role("button", name="stop drums").click()
        await echo.get_by_role("button", name="remove echo").click()
        await panel.get_by_label("beats").fill("0.5")
        await panel.get_by_label("tape").select_option("new")
        await panel.get_by_label("name", exact=True).fill("slap")
        await panel.get_by_role("button", name="add", exact=True).click()
        async with asyncio.timeout(5):
            while len(asked) < 3:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.02)
        assert [type(m) for m in asked] == [StopModule, RemoveModule, AddModule]
        add = asked[2]
        assert isinstance(add, AddModule)
        assert (add.program, add.name) == ("delay", "slap")
        assert add.options == {"beats": 0.5, "tape": "new"}
        player.modules.told(ModuleNews([RoomModule("drums", "drums", state="playing")], ["echo"]))
        await expect(drums).to_contain_text("playing")
        await expect(echo).to_have_count(0)
        await expect(strip.locator(".about")).to_have_text("module")
        assert wrong == []
