"""Access over real sockets: passwords, invitations, hosts, proxies, limits, TLS."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from midipool_native import host_clock
from midipool_server import cli, clock_service
from midipool_server.access.audit import AuditEvent
from midipool_server.access.gate import Gate
from midipool_server.access.guessing import TRIES
from midipool_server.access.invitations import Invited, signed
from midipool_server.access.passwords import hashed
from midipool_server.access.store import AccessStore
from midipool_server.connection import Limits
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.public_address import networks
from midipool_server.web import make_app

from ..test_web import HELLO, Server, closed, receive

NOW_S = 1_700_000_000.0
LATER = int(NOW_S) + 3600


class Guarded(Server):
    """Whose rooms have doors. `clock_us` is what its gate counts tries by."""

    def __init__(self, folder: Path, invited_only: bool = False, limits: Limits = Limits()) -> None:  # noqa: B008
        super().__init__()
        self.store = AccessStore(folder)
        self.events: list[AuditEvent] = []
        self.clock_us = 10**9
        gate = Gate(self.store, invited_only, lambda: NOW_S)
        self.host = RoomHost(
            Lobby("0123456789abcdef"),
            lambda: clock_service.now_us() + self.clock_us,
            host_clock.now_ns,
            gate=gate,
            audit=self.events.append,
        )
        self.runner = web.AppRunner(make_app(self.host, True, networks(["127.0.0.0/8"]), limits))

    async def knock(
        self, name: str = "drums", address: str = "192.0.2.1", room: str = "jam", **more: Any
    ) -> tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]:
        """Say hello from an address, as a proxy says; the first answer."""
        headers = {"X-Forwarded-For": f"10.9.9.9, {address}"}
        socket = await self.http.ws_connect(f"{self.address}/{room}", headers=headers)
        await socket.send_json({**HELLO, "name": name, "capabilities": ["access"], **more})
        answer: dict[str, Any] = json.loads(await socket.receive_str())
        return socket, answer

    def ticket(self, role: str = "player", uses: int | None = None, room: str = "jam") -> str:
        made = Invited(secrets.token_urlsafe(6), room, role, LATER, uses)  # type: ignore[arg-type]
        return signed(made, self.store.key())


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Guarded]:
    made = Guarded(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def test_a_password_of_the_operator_and_one_of_a_host(
    server: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.store.set_password("jam", hashed("open sesame", b"salt"))
    _, said = await server.knock()
    assert (said["type"], said["code"], said["field"]) == ("error", "password_needed", "password")
    _, said = await server.knock(password="open sesam")
    assert said["code"] == "bad_password"
    drums, said = await server.knock(password="open sesame")
    assert said["type"] == "welcome"
    await drums.send_json({"type": "password", "id": 3, "password": "another one"})
    assert (await receive(drums, "ok"))["id"] == 3
    _, said = await server.knock("bass", password="open sesame")
    assert said["code"] == "bad_password"
    _, said = await server.knock("bass", password="another one")
    assert said["type"] == "welcome"
    await drums.send_json({"type": "password", "id": 4, "password": None})
    await receive(drums, "ok")
    _, said = await server.knock("keys")
    assert said["type"] == "welcome"
    told = caplog.text + repr(server.events)
    assert "sesam" not in told
    assert "another one" not in told
    assert [e.code for e in server.events if e.what == "refused"] == [
        "password_needed",
        *["bad_password"] * 2,
    ]


async def test_nobody_guesses_a_password_and_who_knows_it_is_not_kept_out(server: Guarded) -> None:
    server.store.set_password("jam", hashed("open sesame", b"salt"))
    tried = [server.knock(f"m{n}", password=f"guess {n}") for n in range(TRIES + 8)]
    codes = [said["code"] for _, said in await asyncio.gather(*tried)]
    assert codes.count("bad_password") == TRIES
    assert codes.count("too_many_tries") == 8
    _, said = await server.knock(password="open sesame")
    assert said["code"] == "too_many_tries"  # right or wrong, it is not looked at
    _, said = await server.knock(password="open sesame", address="198.51.100.7")
    assert said["type"] == "welcome"
    _, said = await server.knock("x", invitation="x.y")
    assert said["code"] == "too_many_tries"
    server.clock_us += 3600 * 10**6
    _, said = await server.knock("bass", password="open sesame")
    assert said["type"] == "welcome"


async def test_the_rooms_play_on_while_a_password_is_hashed(
    server: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    drums, _ = await server.knock()
    began, may_end = asyncio.Event(), asyncio.Event()

    async def hashing(password: str) -> None:
        began.set()
        await may_end.wait()

    monkeypatch.setattr(server.host._gate, "hashed", hashing)
    await drums.send_json({"type": "password", "id": 1, "password": "slow"})
    await began.wait()
    bass, said = await server.knock("bass")
    assert said["type"] == "welcome"
    await bass.send_json({"type": "start", "id": 2})
    assert (await receive(bass, "ok"))["id"] == 2
    may_end.set()
    assert (await receive(drums, "ok"))["id"] == 1


async def test_invitations_let_in_forged_and_foreign_and_used_up_ones_do_not(
    server: Guarded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.store.set_password("jam", hashed("open sesame", b"salt"))
    once, host = server.ticket(uses=1), server.ticket("host")
    _, said = await server.knock("hanna", invitation=host)
    assert said["type"] == "welcome"
    _, said = await server.knock("drums", invitation=once)
    assert said["type"] == "welcome"
    changed = ("A" if once[0] != "A" else "B") + once[1:]
    foreign, old = (
        server.ticket(room="other"),
        signed(Invited("old", "jam", "player", int(NOW_S)), server.store.key()),
    )
    for text, words in (
        (once, "used up"),
        (changed, "no invitation of this server"),
        (foreign, "another room"),
        (old, "out of date"),
    ):
        _, said = await server.knock("nick", invitation=text)
        assert said["code"] == "bad_invitation"
        assert words in said["message"]
    roles = {m.name: m.role for m in server.host.lobby.rooms["jam"].access.message().members}
    assert roles == {"hanna": "host", "drums": "player"}
    told = caplog.text + repr(server.events)
    assert not any(text in told for text in (once, host, changed, foreign, old))
    # A restart of the server does not forget.
    again = Guarded(tmp_path)
    await again.start()
    try:
        _, said = await again.knock("nick", invitation=once)
        assert (said["code"], "used up" in said["message"]) == ("bad_invitation", True)
    finally:
        await again.stop()


async def test_an_invitation_that_was_taken_back_lets_in_nobody_new(
    server: Guarded, tmp_path: Path
) -> None:
    host, by_host, by_operator = (server.ticket(role) for role in ("host", "player", "player"))
    hanna, _ = await server.knock("hanna", invitation=host)
    _, welcome = await server.knock("drums", invitation=by_host)
    await hanna.send_json({"type": "revoke", "id": 3, "invitation": by_host})
    assert (await receive(hanna, "ok"))["id"] == 3
    words = ["revoke", "jam", f"https://h/jam#invite={by_operator}", "--state-dir", str(tmp_path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: NOW_S)
        assert cli.main(words) == 0
    for text in (by_host, by_operator):
        _, said = await server.knock("nick", invitation=text)
        assert said["code"] == "bad_invitation"
        assert "was taken back" in said["message"]
    # Who is in by it stays, and comes back to its place.
    _, said = await server.knock("drums", invitation=by_host, token=welcome["token"])
    assert said["type"] == "welcome"
    assert [(e.by, e.name) for e in server.events if e.what == "revoked"] == [("hanna", "")]
    assert by_host not in repr(server.events)
    # A restart of the server does not forget, whoever took it back.
    again = Guarded(tmp_path)
    await again.start()
    try:
        for text in (by_host, by_operator):
            _, said = await again.knock("nick", invitation=text)
            assert (said["code"], "taken back" in said["message"]) == ("bad_invitation", True)
        (tmp_path / "revoked.json").write_text("{")
        _, said = await again.knock("nick", invitation=host)
        assert (said["code"], "cannot read" in said["message"]) == ("bad_invitation", True)
    finally:
        await again.stop()


async def test_a_host_puts_somebody_out_and_lets_somebody_in_who_waits(server: Guarded) -> None:
    hanna, _ = await server.knock("hanna")
    paul, _ = await server.knock("paul", "192.0.2.2")
    await paul.send_json({"type": "kick", "id": 1, "member": "hanna"})
    assert (await receive(paul, "error"))["code"] == "not_host"
    await hanna.send_json({"type": "ban", "id": 2, "member": "paul", "reason": "noise"})
    assert (await receive(hanna, "ok"))["id"] == 2
    closing = await receive(paul, "closing")
    assert closing == {
        "type": "closing",
        "reason": "hanna banned you from the room: noise",
        "again": False,
    }
    assert await closed(paul) == aiohttp.WSCloseCode.POLICY_VIOLATION
    _, said = await server.knock("paula", "192.0.2.2")
    assert said["code"] == "banned"
    await hanna.send_json({"type": "door", "id": 3, "door": "ask"})
    nick, said = await server.knock("nick", "192.0.2.3")
    assert said["type"] == "waiting"
    await nick.send_json({"type": "start", "id": 4})
    assert (await receive(nick, "error"))["code"] == "waiting"
    while (await receive(hanna, "at_the_door"))["waiting"] != ["nick"]:
        pass
    await hanna.send_json({"type": "admit", "id": 5, "member": "nick"})
    assert (await receive(nick, "welcome"))["room"] == "jam"


async def test_who_is_muted_or_listens_plays_no_midi_to_the_others(server: Guarded) -> None:
    hanna, _ = await server.knock("hanna")
    paul, _ = await server.knock("paul")
    note = {"type": "midi", "events": [[0, "903c40"]]}
    for id, command, code in (
        (1, {"type": "mute", "member": "paul"}, "muted"),
        (2, {"type": "give_role", "member": "paul", "role": "listener"}, "listener"),
    ):
        await hanna.send_json({"id": id, **command})
        await receive(hanna, "ok")
        await paul.send_json(note)
        assert (await receive(paul, "error"))["code"] == code
    await hanna.send_json({"type": "give_role", "id": 3, "member": "paul", "role": "player"})
    await hanna.send_json({"type": "mute", "id": 4, "member": "paul", "muted": False})
    for _ in range(2):
        await receive(hanna, "ok")
    await paul.send_json(note)
    assert (await receive(hanna, "midi_from"))["name"] == "paul"


async def test_strangers_see_nothing_of_a_room_with_a_password_and_members_do(
    server: Guarded,
) -> None:
    server.store.set_password("jam", hashed("open sesame", b"salt"))
    _, welcome = await server.knock(password="open sesame")
    hidden = {"name": "jam", "players": 1, "private": True, "needed": "password"}
    assert await server.get("/api/rooms/jam") == (200, hidden)
    assert (await server.get("/api/rooms"))[1]["rooms"] == [hidden]
    headers = {"Authorization": f"Bearer {welcome['token']}"}
    async with server.http.get(f"{server.address}/api/rooms/jam", headers=headers) as answer:
        assert (await answer.json())["members"][0]["name"] == "drums"
    statistics = "/api/rooms/jam/stats"
    assert (await server.get(statistics))[0] == 403
    async with server.http.get(server.address + statistics, headers=headers) as answer:
        assert (await answer.json())["pairs"] == []
    async with server.http.get(f"{server.address}/api/rooms/jam/events") as events:
        line = await events.content.readline()
        assert json.loads(line.removeprefix(b"data: "))["now"]["room"] == hidden


async def test_a_server_for_the_invited_alone(tmp_path: Path) -> None:
    server = Guarded(tmp_path, invited_only=True)
    await server.start()
    try:
        _, said = await server.knock()
        assert said["code"] == "invitation_needed"
        assert server.host.lobby.rooms == {}
        _, said = await server.knock(invitation=server.ticket())
        assert said["type"] == "welcome"
    finally:
        await server.stop()


async def test_a_limit_is_named_as_it_is_set(tmp_path: Path) -> None:
    server = Guarded(tmp_path, limits=Limits(messages_a_second=2))
    server.host.lobby.max_rooms = server.host.lobby.max_members = 1
    await server.start()
    try:
        drums, _ = await server.knock()
        _, said = await server.knock("bass")
        assert (said["code"], "1 members (max_members)" in said["message"]) == ("room_full", True)
        _, said = await server.knock("bass", room="other")
        assert (said["code"], "1 rooms (max_rooms)" in said["message"]) == ("server_full", True)
        for _ in range(20):
            await drums.send_json({"type": "clock_probe", "t1_ns": 1})
        said = await receive(drums, "error")
        assert said["code"] == "too_fast"
        assert "2 a second (max_messages)" in said["message"]
    finally:
        await server.stop()
