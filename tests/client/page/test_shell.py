"""`midipool-client ctl`, against a client that is not run: over a real socket."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midipool.errors import InvalidValue
from midipool.messages import Error, Ok
from midipool_client import cli, control
from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.commands.ctl_learn import target_of
from midipool_client.live_settings import Playing
from midipool_client.page.alone import page_of
from midipool_client.page.host import PageHost
from tests.client.page.running import DEVICE, NASTY, playing, until

Ctl = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def client(home: Path) -> Playing:
    return playing(home / "settings.json")


@pytest.fixture
async def host(home: Path, client: Playing) -> AsyncIterator[PageHost]:
    made = PageHost()
    made.enter(client)
    async with page_of(made, None, DEVICE):
        await until(lambda: any(home.glob("midipool/control/*")))
        yield made


async def ctl(*words: str) -> int:
    return await asyncio.to_thread(cli.main, ["ctl", *words])


async def test_a_shell_moves_the_mix(
    host: PageHost, client: Playing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ctl("strip", NASTY, "--gain", "-6", "--pan", "0.2", "--mute", "on") == 0
    assert capsys.readouterr().out == "done\n"
    strip = client.live.listening.mix.strip_of(NASTY)
    assert (strip.gain_db, strip.pan, strip.mute, strip.solo) == (-6.0, 0.2, True, False)
    assert await ctl("--device-name", DEVICE, "mix", "--master=-3", "--send-mute", "on") == 0
    assert await ctl("send", '{"type": "set_listening", "profile": "safe"}') == 0
    assert client.live.listening.mix.send == 0.0
    assert client.live.listening.profile == "safe"


async def test_a_shell_sees_the_state(host: PageHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ctl("state", "session.phase") == 0
    assert capsys.readouterr().out == "session.phase: in_room\n"
    assert await ctl("state", "--json", "mixer") == 0
    assert json.loads(capsys.readouterr().out)["strips"][0]["member"] == NASTY
    assert await ctl("state") == 0
    assert capsys.readouterr().out.startswith("song: the room's clock is not known yet\nsession.")
    assert await ctl("state", "mixxer") == 1
    assert "nothing in the state begins with 'mixxer'" in capsys.readouterr().err


async def test_what_is_refused_is_said_with_a_code(
    host: PageHost,
    client: Playing,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers: list[Ok | Error | None] = [Ok(1, 0, 1, 1), Error("not_leader", "bass leads"), None]
    monkeypatch.setattr(client.player, "conduct", lambda _, answer: answer(answers.pop(0)))
    assert await ctl("start", "--count-in-bars", "1") == 0
    for words, said in (
        (["tempo", "120"], "bass leads"),
        (["stop"], "the server is away"),
        (["tempo", "5"], "bpm: "),
        (["tempo", "fast"], "must be a number"),
        (["ballot", "yes"], "does not vote on anything"),
        (["send", "rubbish"], "is not JSON"),
        (["send", "[]"], "must be an object"),
        (["send", '{"type": "no_such"}'], "no_such"),
        (["leave"], "stop midipool-client to leave"),
        (["api"], "--no-page"),
        (["--device-name", "other", "state"], "no midipool-client runs with the device name other"),
    ):
        assert await ctl(*words) == 1, words
        assert said in capsys.readouterr().err, words


async def test_a_shell_watches_until_it_goes(host: PageHost, client: Playing) -> None:
    seen: list[dict[str, Any]] = []

    def watch() -> None:
        for line in control.listen(DEVICE, 10, do="watch", meters=True):
            seen.append(json.loads(line))
            if seen[-1]["type"] == "meters" and seen[-1]["levels"][NASTY] == [1.0, 0.5]:
                return

    watching = asyncio.create_task(asyncio.to_thread(watch))
    await until(lambda: bool(seen))
    assert seen[0]["type"] == "snapshot"
    assert await ctl("mix", "--master", "-9") == 0
    await until(lambda: any(m["type"] == "delta" for m in seen))
    assert client.player.audio is not None
    client.player.audio.engine.levels = Levels([], Level(), {NASTY: Level(1.0, 0.5)})
    await watching
    delta = next(m for m in seen if m["type"] == "delta" and "mixer" in m["changed"])
    assert delta["changed"]["mixer"]["listening"]["mix"]["master_db"] == -9.0
    await until(lambda: not host._viewers)  # nothing is looked at for a shell that is gone


async def test_a_shell_that_is_gone_is_noticed_while_nothing_happens(home: Path) -> None:
    gone = asyncio.Event()

    async def handle(_: dict[str, Any]) -> AsyncGenerator[str, None]:
        yield "begun"
        try:
            while True:
                yield ""
                await asyncio.sleep(0.01)
        finally:
            gone.set()

    serving = asyncio.create_task(control.serve(DEVICE, handle))
    await until(lambda: any(home.glob("midipool/control/*")))
    watch = control.listen(DEVICE, 10, do="watch")
    assert await asyncio.to_thread(next, watch) == "begun"
    watch.close()
    async with asyncio.timeout(5):
        await gone.wait()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_who_has_no_room_joins_one_from_the_shell(home: Path) -> None:
    host = PageHost(can_leave=True)
    async with page_of(host, None, DEVICE):
        await until(lambda: any(home.glob("midipool/control/*")))
        assert await ctl("join", "127.0.0.1", "--room", "jam", "me") == 0
        assert (await host.wanted.get()).room == "jam"
        assert await ctl("strip", "bass", "--mute", "on") == 1


@pytest.mark.parametrize(
    ("words", "request_", "field"),
    [
        ("strip bass gain", {"type": "set_strip", "member": "bass"}, "gain"),
        ("strip gain gain", {"type": "set_strip", "member": "gain"}, "gain"),
        ("mix send-mute", {"type": "set_mix"}, "send-mute"),
        ("tempo", {"type": "tempo"}, ""),
        ("start", {"type": "start"}, ""),
        ("locate 17", {"type": "locate", "position": {"bar": 17, "beat": 1}}, ""),
        ("play", {"type": "play"}, ""),
        ("bypass-effect 3", {"type": "bypass_effect", "effect": 3}, ""),
        ("effect 3 drive", {"type": "set_effect", "effect": 3}, "drive"),
    ],
)
def test_what_is_learned_is_said_in_the_words_of_ctl(
    words: str, request_: dict[str, Any], field: str
) -> None:
    assert target_of(words.split()) == (request_, field)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dance", "is no word of ctl"),
        ("tap twice", "stands alone"),
        ("strip bass gain loud", "too many words: loud"),
    ],
)
def test_what_is_no_word_is_not_learned(words: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        target_of(words.split())


async def test_a_shell_learns_a_controller(
    host: PageHost, client: Playing, capsys: pytest.CaptureFixture[str]
) -> None:
    learning = asyncio.create_task(ctl("learn", "strip", NASTY, "gain"))
    await until(lambda: bool(host.state.controllers.learning))
    client.player.ports.on_control([(0, b"\xb0\x46\x05")])
    assert await learning == 0
    assert f"cc:1:70: strip {NASTY} gain_db (pickup), once it is moved" in capsys.readouterr().out
    assert await ctl("learn", "play", "--source", "note:1:36") == 0
    assert await ctl("learned") == 0
    assert "note:1:36: play" in capsys.readouterr().out
    assert await ctl("forget", "all") == 0
    assert await ctl("learn", "strip", NASTY, "loudness") == 1
    assert "set_strip has no loudness; it has: member, gain_db" in capsys.readouterr().err
