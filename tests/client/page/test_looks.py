"""The page in a browser, filled to the brim: readable, reachable, and nobody's name is code."""

import csv
import json
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from playwright.async_api import Page

from midipool.lan.announcement import Announcement
from midipool.lan.finds import Finds
from midipool.messages import HeardCounts, Hearing
from midipool_client.nearby import Nearby
from midipool_client.page.host import PageHost
from midipool_client.page.way_in import DevicesBefore
from midipool_client.recent_rooms import RecentRoom
from tests.client.page.hostile import NOTES, TEXTS
from tests.client.page.looks import chromium_page, looked_at
from tests.client.page.running import NASTY, Running, running, served_by
from tests.client.page.stuffed import OTHERS, in_its_room, recordings, stuffed

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Running]:
    client = stuffed(tmp_path / "settings.json")
    host = PageHost(can_leave=True, library=recordings(client, tmp_path / "recordings"))
    with in_its_room(client):
        host.enter(client)
        async with served_by(host) as made:
            yield made


async def load_a_room(page: Page, folder: Path) -> None:
    """One with much to say about it; there is no server that it could be brought to."""
    note = f"{'x' * 64} is not here: its mix waits for it, and {NASTY} has taken none of it"
    said = json.dumps({"type": "done", "notes": [note, f"{folder}/room.yaml, line 12"]})
    await page.route("**/room.yaml", lambda route: route.fulfill(body=said))
    file = folder / "room.yaml"
    file.write_text("midipool: 1\n")
    await page.get_by_label("a room's file").set_input_files(file)
    await page.get_by_text("The room is what the file says.").wait_for()


async def test_the_room_looks_well_and_is_open_to_all(room: Running, tmp_path: Path) -> None:
    async with chromium_page(room.server.address) as (page, wrong):
        await page.locator(".strip.player").nth(len(OTHERS) - 1).wait_for()
        await page.locator(".health td").first.wait_for()
        await page.locator(".uplot").first.wait_for()
        names = await page.locator(".strip.player h3").all_text_contents()
        assert NASTY in names
        assert await page.locator("img").count() == 0
        await page.get_by_role("button", name="take 1", exact=True).click()
        await page.get_by_role("button", name="rename take 1").click()
        await page.get_by_role("button", name="delete take 1").click()
        await page.get_by_role("link", name="03-drums.flac").wait_for()
        people = page.get_by_role("list", name="people")
        await people.get_by_role("button", name=f"let in {NASTY}").wait_for()
        assert await people.get_by_role("button", name="put out me").count() == 0
        modules = page.get_by_role("list", name="modules")
        await modules.get_by_role("button", name="start echo", exact=True).wait_for()
        await load_a_room(page, tmp_path)
        found = await looked_at(page, "room")
        assert found == [], "\n".join(found)
        assert wrong == []


async def test_nobodys_words_are_code_and_nothing_of_them_is_loaded(room: Running) -> None:
    async with chromium_page(room.server.address) as (page, wrong):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        notes = page.locator(".loaded-notes")
        await notes.wait_for()
        await page.reload()
        await notes.wait_for()
        assert await notes.locator("h4").first.text_content() == "Intro <script>alert(1)</script>"
        assert await notes.locator("td strong").text_content() == "Dm7"
        assert await notes.locator("b").count() == 0
        text = await notes.text_content() or ""
        assert '<img src=x onerror="alert(1)">' in text
        links = page.locator(".songs a, .chat a")
        led = await links.evaluate_all("(all) => all.map(({ href, rel }) => `${rel} ${href}`)")
        rel = "noopener noreferrer nofollow https://example.org"
        assert led == [f"{rel}/chart", f"{rel}/x.png", f"{rel}/chart?a="]
        said = await page.locator(".line.mine, .line").all_text_contents()
        assert [line for line in said if TEXTS[0] in line]
        await page.get_by_role("button", name="change deep").click()
        await page.get_by_label("preview").wait_for()
        await page.get_by_label("notes, in Markdown").fill(NOTES)
        for tag in ("img", "iframe", "script", "svg:not(.patchbay *)", ".notes b"):
            assert await page.locator(f"#page {tag}").count() == 0, tag
        assert [url for url in asked if not url.startswith(room.site)] == []
        assert wrong == []


async def test_the_way_in_looks_well_and_is_open_to_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DevicesBefore, "look", lambda self: None)
    host = PageHost(can_leave=True)
    rooms = [RecentRoom("ws://127.0.0.1:8765/jam", "me"), RecentRoom(f"ws://h:1/{'x' * 64}", NASTY)]
    host.choice = type(host.choice)(recent=rooms, problem=f"{NASTY} is not there: " + "why " * 30)
    async with running(host) as made, chromium_page(made.server.address) as (page, wrong):
        await page.get_by_role("heading", name="Join a room").wait_for()
        await page.get_by_label("through").select_option("portaudio")
        await page.get_by_label("Output").wait_for()
        found = await looked_at(page, "way-in")
        assert found == [], "\n".join(found)
        assert wrong == []


async def test_the_session_is_plotted_when_asked_for_and_can_be_downloaded(
    room: Running, tmp_path: Path
) -> None:
    for minute in range(5):
        for number, member in enumerate(OTHERS):
            counts = HeardCounts(packets=20_000 * minute, lost=5 * minute)
            hears = Hearing(member, "jam", latency_ms=12.0 + number, counts=counts)
            room.host.history.take(time.time() - 60 * (5 - minute), "me", [hears])
    async with chromium_page(room.server.address) as (page, wrong):
        await page.locator(".uplot").first.wait_for()
        await page.get_by_label("plotted").select_option("6 hours")
        await page.get_by_text("one way, 95 % within, ms").wait_for()
        assert await page.locator(".legend li").count() == len(OTHERS)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV").click()
        await (await download.value).save_as(tmp_path / "statistics.csv")
        rows = list(csv.DictReader((tmp_path / "statistics.csv").read_text().splitlines()))
        assert {row["member"] for row in rows} == {*OTHERS}
        assert sum(int(row["packets"]) for row in rows) == 80_000 * len(OTHERS)
        await page.get_by_label("plotted").select_option("last minutes")
        await page.get_by_text("missing after repair, %").wait_for()
        await page.get_by_text("one way, 95 % within, ms").wait_for(state="detached")
        assert wrong == []


async def test_servers_of_the_lan_are_buttons_that_fill_the_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finds = Finds([ip_network("10.0.0.0/8")])
    evil = "<img src=x onerror=alert(1)>"
    said = Announcement(kind="server", name=evil, rooms=["jam", "trio"], room="trio")
    finds.put("1", said, ["10.0.0.1"], 8765)
    newer = Announcement(kind="server", name="newer", version=99)
    finds.put("2", newer, ["10.0.0.2"], 8765)
    finds.put("3", Announcement(kind="player", name="bob"), ["10.0.0.3"], 0)
    monkeypatch.setattr(Nearby, "found", property(lambda _: finds.shown()))
    monkeypatch.setattr(Nearby, "watch", lambda *_: None)
    monkeypatch.setattr(DevicesBefore, "look", lambda _: None)
    async with (
        served_by(PageHost(can_leave=True)) as served,
        chromium_page(served.server.address) as (page, wrong),
    ):
        around = page.get_by_role("region", name="On this network")
        await around.get_by_role("button", name=f"trio on {evil}").click()
        assert await page.get_by_label("Server").input_value() == "ws://10.0.0.1:8765"
        assert await page.get_by_label("Room", exact=True).input_value() == "trio"
        assert await around.get_by_role("button", name="another room on newer").is_disabled()
        text = await around.text_content() or ""
        assert "Who plays here: bob" in text
        assert "update this client" in text
        assert await page.locator("img").count() == 0
        assert wrong == []
