"""Who gets in, and what comes out: over real HTTP on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

import midipool.web
from midipool.errors import Unavailable
from midipool_client.page.access import header_file
from midipool_client.page.host import PageHost
from midipool_client.page.server import PageServer
from tests.client.page.running import NASTY, Running, playing, running

STATIC = Path(__file__).parents[3] / "client/midipool_client/page/static"
SHARED = midipool.web.FOLDER


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Running]:
    host = PageHost()
    host.enter(playing(tmp_path / "settings.json"))
    async with running(host) as made:
        yield made


async def status_of(page: Running, path: str, **headers: str) -> int:
    url = URL(f"{page.site}{path}", encoded=True)
    async with page.http.get(url, headers=headers) as answer:
        return answer.status


async def raw(page: Running, request: str) -> str:
    """The first line of the answer to bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.server.port)
    writer.write(request.encode())
    line = (await reader.readline()).decode()
    writer.close()
    await writer.wait_closed()
    return line


async def test_a_token_opens_the_page_once_and_its_cookie_goes_on(page: Running) -> None:
    address = page.server.address
    assert await status_of(page, "/") == 403
    async with page.http.get(address) as answer:
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert page.opened == [page.server.address]
    assert page.server.address != address
    assert await status_of(page, "/") == 200
    page.http.cookie_jar.clear()
    async with page.http.get(address) as answer:
        assert answer.status == 403
        assert "each works once" in await answer.text()


@pytest.mark.parametrize("path", ["/socket", "/state", "/", "/?token=guess"])
async def test_without_a_cookie_there_is_nothing(page: Running, path: str) -> None:
    assert await status_of(page, path) == 403


async def posted(page: Running, body: str | bytes, **headers: str) -> tuple[int, Any]:
    """Status and JSON of what /commands answers."""
    said = {"Content-Type": "application/json", **headers}
    async with page.http.post(f"{page.site}/commands", data=body, headers=said) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else None


async def test_a_program_gets_in_with_the_header_in_its_file(
    page: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with header_file("midiPool", page.server.secret) as path:
        assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
        name, _, value = path.read_text().strip().partition(": ")
    assert not path.exists()
    headers = {name: value}
    assert await status_of(page, "/state", **headers) == 200
    async with page.http.ws_connect(f"{page.site}/socket", headers=headers) as socket:
        assert (await socket.receive_json())["type"] == "snapshot"
    master = '{"type": "set_mix", "id": 1, "master_db": -3}'
    assert await posted(page, master, **headers) == (200, {"type": "done", "id": 1})
    assert not page.http.cookie_jar.filter_cookies(URL(page.site))
    for wrong in ("Bearer", "Bearer guess", f"Basic {value.split()[1]}", "é"):
        assert await status_of(page, "/state", Authorization=wrong) == 403
        assert (await posted(page, master, Authorization=wrong))[0] == 403
    assert (await posted(page, master, Origin="http://evil.example", **headers))[0] == 403
    assert (await posted(page, master, Host="evil.example", **headers))[0] == 403


async def test_a_command_by_http_is_done_or_refused(page: Running) -> None:
    assert (await posted(page, '{"type": "leave", "id": 1}'))[0] == 403
    await page.enter()
    status, said = await posted(page, '{"type": "leave", "id": 7}')
    assert (status, said["type"], said["id"]) == (409, "refused", 7)
    for body, field in (
        ("rubbish", None),
        ('{"type": "tempo", "id": 7, "bpm": 5}', "bpm"),
        ('{"type": "no_such", "id": 7}', "type"),
        (b"\xff", None),
    ):
        status, said = await posted(page, body)
        assert (status, said["type"], said.get("field")) == (400, "refused", field), body
    assert (await posted(page, " " * 70_000))[0] == 413
    plain = {"Content-Type": "text/plain"}
    assert (await posted(page, '{"type": "leave", "id": 7}', **plain))[0] == 415
    async with page.http.get(f"{page.site}/commands") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_another_name_for_this_machine_is_refused(page: Running) -> None:
    await page.enter()
    assert await status_of(page, "/") == 200
    for name in ("evil.example", f"evil.example:{page.server.port}", "127.0.0.1:1"):
        assert await status_of(page, "/", Host=name) == 403
        assert await status_of(page, "/static/main.js", Host=name) == 403
    assert "403" in await raw(page, "GET / HTTP/1.1\r\nHost:\r\n\r\n")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_sites_page_gets_no_websocket_and_no_state(
    page: Running, origin: str
) -> None:
    await page.enter()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.http.ws_connect(f"{page.site}/socket", headers={"Origin": origin})
    assert refused.value.status == 403
    assert await status_of(page, "/state", Origin=origin) == 403
    async with page.http.ws_connect(f"{page.site}/socket", headers={"Origin": page.site}) as own:
        assert (await own.receive_json())["type"] == "snapshot"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static//etc/passwd",
        "/static/vendor/../../../../../../etc/passwd",
        "/static/",
        "/static/main.js%00.css",
    ],
)
async def test_no_path_leads_out_of_the_pages_files(page: Running, path: str) -> None:
    await page.enter()
    assert await status_of(page, path) == 404
    line = await raw(page, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{page.server.port}\r\n\r\n")
    assert "404" in line or "400" in line


async def test_every_answer_forbids_what_the_page_does_not_need(page: Running) -> None:
    for path in ("/", "/static/main.js", "/nothing", "/state", page.server.address):
        async with page.http.get(URL(page.site).join(URL(path))) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy.replace("http-equiv", "")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_names_of_others_come_as_data_never_as_html(page: Running) -> None:
    await page.enter()
    async with page.http.get(f"{page.site}/state") as answer:
        assert answer.content_type == "application/json"
        assert (await answer.json())["mixer"]["strips"][0]["member"] == NASTY
    async with page.http.get(f"{page.site}/") as answer:
        assert NASTY not in await answer.text()


def test_what_is_not_ours_has_its_licence_and_version_beside_it() -> None:
    folders = [f for pages in (STATIC, SHARED) for f in (pages / "vendor").iterdir() if f.is_dir()]
    assert {folder.name for folder in folders} >= {"lit-html", "uplot", "marked"}
    for folder in folders:
        assert (folder / "LICENSE").is_file()
        assert folder.name in (folder.parent / "README.md").read_text().lower()


async def test_a_port_that_is_taken_is_named(page: Running) -> None:
    other = PageServer(PageHost(), page.server.port, lambda: None)
    with pytest.raises(Unavailable, match=f"port {page.server.port}.*--page-port"):
        async with other:
            pass


async def test_the_server_ends_at_once_while_a_page_is_open(tmp_path: Path) -> None:
    host = PageHost()
    async with running(host) as made:
        await made.enter()
        socket = await made.http.ws_connect(f"{made.site}/socket")
        for _ in ("snapshot", "heard_so_far"):
            await socket.receive_json()
        await made.server.__aexit__(None, None, None)
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await socket.close()
