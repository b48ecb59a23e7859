"""The server's pages: what a browser gets, and is told, without being a member."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from midipool_server import viewers
from tests.client.page.looks import chromium_page, looked_at
from tests.client.page.running import NASTY, until
from tests.server.test_web import Server


class Events:
    """What a page is told."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                line = await self.answer.content.readline()
                assert line, "it ended"
                if line.startswith(b"data: "):
                    said: dict[str, Any] = json.loads(line[6:])
                    return said

    async def room(self) -> dict[str, Any]:
        """The room, once there is one."""
        while (room := (await self.next())["now"]["room"]) is None:
            pass
        found: dict[str, Any] = room
        return found


class Served(Server):
    """A server, and the pages that look at it."""

    def __init__(self, list_rooms: bool = True, trust_proxy: bool = False) -> None:
        super().__init__(list_rooms, trust_proxy)
        self._pages: list[Events] = []

    async def events(self, path: str = "/api/rooms/jam/events") -> Events:
        answer = await self.http.get(self.address + path)
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        self._pages.append(Events(answer))
        return self._pages[-1]

    async def stop(self) -> None:
        for page in self._pages:
            page.answer.close()
        await super().stop()


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    made = Served()
    await made.start()
    yield made
    await made.stop()


async def test_a_page_is_told_by_itself_what_happens_in_its_room(server: Served) -> None:
    page = await server.events()
    assert (await page.next())["now"] == {"room": None}
    drums = await server.join("drums")
    room = await page.room()
    assert [member["name"] for member in room["members"]] == ["drums"]
    await drums.send_json({"type": "tempo", "id": 1, "bpm": 132.5})
    while room["timelines"][-1]["mbpm"] != 132_500:
        room = await page.room()
    assert room["changes"][-1]["text"] == "tempo 132.5"
    assert {"media", "token", "relay", "chat"}.isdisjoint(room)
    told = await page.next() if room["song"] else {"room_time_us": server.host.now_us()}
    assert told["room_time_us"] <= server.host.now_us()
    await drums.close()
    while (await page.next())["now"]["room"] is not None:
        pass


async def test_a_health_report_reaches_the_page(server: Served) -> None:
    drums, _ = await server.join("drums"), await server.join("bass")
    page = await server.events()
    report = {"type": "audio_report", "hears": [{"member": "bass", "profile": "jam"}]}
    await drums.send_json(report)
    room = await page.room()
    while not room["hears"]:
        room = await page.room()
    assert room["hears"]["drums"][0]["member"] == "bass"


async def test_rooms_are_listed_only_if_the_host_says_so() -> None:
    for listed in (True, False):
        server = Served(list_rooms=listed)
        await server.start()
        page = await server.events("/api/events")
        assert (await page.next())["now"] == {"listed": listed, "rooms": []}
        drums = await server.join("drums")
        status, said = await server.get("/api/rooms")
        if listed:
            [room] = (await page.next())["now"]["rooms"]
            assert (room["name"], room["players"], room["meter"]) == ("jam", 1, "4/4")
            assert len(said["rooms"]) == 1
        else:
            assert (status, list(said)) == (403, ["error"])
            assert "--list-rooms" in said["error"]
            # Who knows the name sees the room.
            assert (await server.get("/api/rooms/jam"))[0] == 200
        await drums.close()
        await server.stop()


@pytest.mark.parametrize(
    "path", ["/", "/rooms/jam", "/static/main.js", "/rooms/a%20b", "/api/events"]
)
async def test_every_answer_forbids_what_the_page_does_not_need(server: Served, path: str) -> None:
    async with server.http.get(URL(server.address + path, encoded=True)) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "name", ["%3Cscript%3E", "a%20b", "..", "%2e%2e", "api", "rooms", "x" * 65]
)
async def test_what_is_no_rooms_name_has_no_page_and_is_not_repeated_as_html(
    server: Served, name: str
) -> None:
    url = URL(f"{server.address}/rooms/{name}", encoded=True)
    async with server.http.get(url) as answer:
        assert answer.status == 404
        assert answer.content_type == "text/plain"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py",
        "/static/..%2fpages.py",
        "/static//etc/passwd",
        "/static/vendor/../../../../../etc/passwd",
        "/static/",
    ],
)
async def test_no_path_leads_out_of_the_pages_files(server: Served, path: str) -> None:
    async with server.http.get(URL(server.address + path, encoded=True)) as answer:
        assert answer.status == 404


async def test_a_browser_that_follows_a_rooms_address_sees_its_page(server: Served) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    async with server.http.get(f"{server.address}/jam", headers=browser) as answer:
        assert answer.status == 200
        assert answer.url.path == "/rooms/jam"
    async with server.http.get(f"{server.address}/jam") as answer:
        assert answer.status == 426


async def test_how_to_join_is_told_as_it_is_from_outside() -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "jam.example"}
    for trust, address in ((True, "wss://jam.example/jam"), (False, None)):
        server = Served(trust_proxy=trust)
        await server.start()
        await server.join("drums")
        async with server.http.get(f"{server.address}/api/rooms/jam", headers=forwarded) as answer:
            assert (await answer.json())["join"] == (
                address or server.address.replace("http", "ws") + "/jam"
            )
        await server.stop()


async def test_so_many_look_and_no_more(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "MOST_VIEWERS", 2)
    first, _ = await server.events(), await server.events("/api/events")
    async with server.http.get(f"{server.address}/api/events") as answer:
        assert answer.status == 503
    first.answer.close()
    await server.join("drums")  # who is told of it is found gone
    await until(lambda: server.host.viewers._count == 1)
    await server.events()


async def test_the_server_ends_at_once_while_pages_are_open(server: Served) -> None:
    page = await server.events()
    await page.next()
    async with asyncio.timeout(5):
        await server.runner.cleanup()
        assert (await page.answer.content.read()).strip() == b""


@pytest.mark.timeout(90)
async def test_the_pages_look_well_and_nobodys_name_is_code(server: Served) -> None:
    sockets = [await server.join(name) for name in (NASTY, "x" * 64, "drums")]
    await sockets[0].send_json({"type": "start", "id": 1})
    report = {
        "type": "audio_report",
        "hears": [
            {"member": "drums", "profile": "jam", "latency_ms": 9.8, "residual_loss": 0.02},
            {"member": "x" * 64, "profile": "jam", "path": "relay"},
        ],
    }
    await sockets[0].send_json(report)
    async with chromium_page(f"{server.address}/") as (page, wrong):
        await page.get_by_role("link", name="jam").wait_for()
        found = await looked_at(page, "server-rooms")
        await page.get_by_role("link", name="jam").click()
        await page.locator(".where.playing").wait_for()
        await page.get_by_role("rowheader", name=NASTY).first.wait_for()
        where = page.locator(".where")
        before = await where.text_content()
        await page.wait_for_function(
            "(before) => document.querySelector('.where').textContent !== before", arg=before
        )
        command = f"midipool-client join {server.address.replace('http', 'ws')}/jam --name YOU"
        field = page.get_by_label("the command that joins this room")
        assert await field.input_value() == command
        await page.get_by_role("button", name="copy").click()
        await page.locator("#said.shown").wait_for()
        assert await page.locator("img").count() == 0
        assert await page.evaluate("() => document.cookie") == ""
        found += await looked_at(page, "server-room")
        assert found == [], "\n".join(found)
        assert wrong == []
