"""Access as a client has it: links, passwords, what hosts do from a shell, who waits."""

import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from midipool import messages as m
from midipool.errors import Refused, Unavailable
from midipool.messages import Access, AtTheDoor, Invitation, MemberAccess
from midipool_client import remote, room_password, tokens
from midipool_client.cli import _parser, main
from midipool_client.commands.access import ACTIONS, command_of, in_words
from midipool_client.known_access import KnownAccess
from midipool_client.recent_rooms import address_of
from midipool_client.remote import Remote
from midipool_client.room_url import RoomUrl, parse_room_url
from midipool_client.server_link import ServerLink
from midipool_native import host_clock
from midipool_server import clock_service
from midipool_server.access.gate import Gate
from midipool_server.access.store import AccessStore
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.web import make_app

from .test_remote import Band, receive

WORDS = {
    "kick": ("kick bert --reason late", m.Kick(id=1, member="bert", reason="late")),
    "ban": ("ban bert", m.Ban(id=1, member="bert")),
    "unban": ("unban bert", m.Unban(id=1, member="bert")),
    "mute": ("mute bert", m.Mute(id=1, member="bert")),
    "unmute": ("unmute bert", m.Mute(id=1, member="bert", muted=False)),
    "role": ("role bert listener", m.GiveRole(id=1, member="bert", role="listener")),
    "door": ("door ask", m.SetDoor(id=1, door="ask")),
    "lock": ("lock", m.SetDoor(id=1, door="locked")),
    "unlock": ("unlock", m.SetDoor(id=1, door="open")),
    "admit": ("admit nick", m.Admit(id=1, member="nick")),
    "turn-away": ("turn-away nick", m.TurnAway(id=1, member="nick")),
    "password": ("password --remove", m.SetPassword(id=1, password=None)),
    "invite": (
        "invite --role host --hours 2 --uses 3",
        m.Invite(id=1, role="host", hours=2, uses=3),
    ),
    "revoke": ("revoke https://h/jam#invite=a.b", m.Revoke(id=1, invitation="a.b")),
}


@pytest.fixture
async def band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Band]:
    """A room server in this process that makes invitations."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lobby = Lobby("0123456789abcdef", unix_us=clock_service.unix_us)
    gate = Gate(AccessStore(tmp_path / "server"), unix_s=lambda: clock_service.unix_us(0) / 1e6)
    runner = web.AppRunner(
        make_app(RoomHost(lobby, clock_service.now_us, host_clock.now_ns, gate=gate))
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Band(runner, http)
    await runner.cleanup()


async def do(band: Band, words: str, by: str | None = None) -> None:
    options = _parser().parse_args(["room", str(band.url), *words.split()])
    await remote.send_command(band.url, command_of(options), by)


@pytest.mark.parametrize("action", WORDS)
def test_each_word_is_its_message(action: str) -> None:
    words, message = WORDS[action]
    options = _parser().parse_args(["room", "ws://h/jam", *words.split()])
    assert command_of(options) == message
    assert set(ACTIONS) == {*WORDS, "access"}


async def test_a_host_rules_from_a_shell_and_others_do_not(band: Band) -> None:
    await band.join("anna")
    bert = await band.join("bert")
    with pytest.raises(Refused) as caught:
        await do(band, "kick anna", "bert")
    assert caught.value.code == "not_host"
    await do(band, "role bert listener", "anna")
    await do(band, "mute bert", "anna")
    await do(band, "door ask", "anna")
    access, door = await remote.room_access(band.url, "anna")
    assert in_words(access, door) == [
        "door: who comes waits for a host",
        "  anna: host",
        "  bert: listener, muted",
    ]
    await do(band, "ban bert", "anna")
    assert await receive(bert, "closing") == {
        "type": "closing",
        "reason": "anna banned you from the room",
        "again": False,
    }
    _, door = await remote.room_access(band.url, "anna")
    assert door == AtTheDoor([], ["bert"])


async def test_who_waits_is_told_and_let_in(band: Band) -> None:
    await band.join("anna")
    await do(band, "door ask")
    told: list[str] = []
    async with ServerLink(band.url, m.hello("nick")) as link:
        link.on_waiting = told.append
        entering = asyncio.create_task(link.hello())
        await until_waits(band, "nick")
        assert not entering.done()
        await do(band, "admit nick")
        assert [member.name for member in (await entering).members] == ["anna", "nick"]
    assert told == ["wait until a host of the room lets you in"]


async def test_who_is_turned_away_hears_why(band: Band) -> None:
    await band.join("anna")
    await do(band, "door ask")
    async with ServerLink(band.url, m.hello("nick")) as link:
        entering = asyncio.create_task(link.hello())
        await until_waits(band, "nick")
        await do(band, "turn-away nick --reason full")
        with pytest.raises(Refused, match="a host did not let you in: full") as caught:
            await entering
        assert caught.value.code == "closed"


async def test_a_room_with_a_password_and_the_link_into_it(band: Band) -> None:
    await band.join("anna")
    await remote.send_command(band.url, m.SetPassword(id=1, password="open sesame"))
    for url, code in (
        (band.url, "password_needed"),
        (replace(band.url, password="other"), "bad_password"),
        (replace(band.url, invitation="x.y"), "bad_invitation"),
    ):
        with pytest.raises(Refused) as caught:
            await enter(url, "bert")
        assert caught.value.code == code
    await enter(replace(band.url, password="open sesame"), "bert")
    invite = m.Invite(id=1, role="listener", hours=1, uses=1)
    text = await remote.invitation(band.url, invite, "anna")
    link = parse_room_url(f"{band.url.http('jam')}#invite={text}")
    assert link == band.url
    await enter(link, "carl")
    with pytest.raises(Refused, match="used up"):
        await enter(link, "dora")
    # Shells act for the member that joined here; strangers are not shown the room.
    assert (await band.status())["access"]["has_password"]
    tokens.forget(band.url, "anna")
    with pytest.raises(Refused, match="shows itself to its members only"):
        await band.status()
    with pytest.raises(Refused, match="has a password"):
        await remote.send_command(band.url, m.Start(id=1))
    async with Remote(replace(band.url, password="open sesame")) as shell:
        await shell.ask(m.Start(id=1))


async def test_a_token_that_is_good_no_more_does_not_stand_before_one_that_is(band: Band) -> None:
    await band.join("anna")
    await remote.send_command(band.url, m.SetPassword(id=1, password="open sesame"))
    tokens.save(band.url, "old", "beef")
    await remote.send_command(band.url, m.Start(id=1))


async def until_waits(band: Band, name: str) -> None:
    async with Remote(band.url, None, ("access",)) as shell, asyncio.timeout(10):
        async for message in shell.heard():
            if isinstance(message, AtTheDoor) and message.waiting == [name]:
                return


async def enter(url: RoomUrl, name: str) -> None:
    hello = m.hello(name, password=url.password, invitation=url.invitation)
    async with ServerLink(url, hello) as link:
        await link.hello()


class TestKnown:
    def test_a_room_without_roles_has_players_only(self) -> None:
        known = KnownAccess()
        assert (known.role("anna"), known.is_silent("anna")) == ("player", False)
        assert known.silent() == frozenset()

    def test_what_is_told_is_known(self) -> None:
        known = KnownAccess()
        members = [
            MemberAccess("a", "host", True),
            MemberAccess("b", "listener"),
            MemberAccess("c"),
        ]
        known.told(Access(members, "ask", True))
        known.told(AtTheDoor(["nick"], []))
        known.told(Invitation(id=1, text="x.y"))
        assert known.silent() == {"a", "b"}
        assert (known.role("a"), known.invitation) == ("host", "x.y")
        assert known.at_the_door.waiting == ["nick"]


class TestPassword:
    URL = RoomUrl(False, "h", 1, "jam")

    def test_it_is_in_a_file_or_in_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "password"
        file.write_text("open sesame\nand more\n")
        monkeypatch.setenv("MIDIPOOL_PASSWORD", "from outside")
        given = room_password.given(self.URL, Namespace(password_file=str(file)))
        assert given.password == "open sesame"
        assert room_password.given(self.URL, Namespace()).password == "from outside"
        monkeypatch.delenv("MIDIPOOL_PASSWORD")
        assert room_password.given(self.URL, Namespace()).password is None
        with pytest.raises(Unavailable, match="cannot be read from"):
            room_password.given(self.URL, Namespace(password_file=str(tmp_path)))
        assert "sesame" not in repr(given) + str(given)

    def test_it_is_asked_for_until_it_is_right(self, monkeypatch: pytest.MonkeyPatch) -> None:
        typed = iter(["wrong", "right"])
        asked: list[str] = []

        def type_it(prompt: str) -> str:
            asked.append(prompt)
            return next(typed)

        def run(url: RoomUrl) -> None:
            if url.password != "right":
                code = "bad_password" if url.password else "password_needed"
                raise Refused(code, f"no: {code}")

        monkeypatch.setattr("getpass.getpass", type_it)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        room_password.asked_for(self.URL, run)
        assert asked == ["no: password_needed\npassword: ", "no: bad_password\npassword: "]

    def test_where_nobody_types_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

        def run(url: RoomUrl) -> None:
            raise Refused("password_needed", "give it")

        with pytest.raises(Refused, match="give it"):
            room_password.asked_for(self.URL, run)


def test_a_link_that_is_pasted_into_the_page_is_an_address() -> None:
    command = "midipool-client join 'wss://h.example/jam#invite=a-b.c_d' --name YOU"
    for text in (command, "https://h.example/rooms/jam#invite=a-b.c_d"):
        url = address_of(text, "")
        assert (str(url), url.invitation) == ("wss://h.example:443/jam", "a-b.c_d")


def test_a_link_that_is_broken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["room", "ws://h/jam#nonsense", "start"]) == 1
    said = capsys.readouterr().err
    assert "no invitation" in said
    assert "nonsense" not in said


def test_what_a_shell_shows_is_json_too() -> None:
    access = Access([MemberAccess("a", "host")], "locked", True)
    assert in_words(access, AtTheDoor(["n"], ["b"]))[0] == "door: locked, with a password"
    assert json.loads(m.encode(access))["door"] == "locked"
