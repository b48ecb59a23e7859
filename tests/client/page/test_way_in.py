"""Devices before there is a room: what is shown of them, and a try that ends when nobody looks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midipool_client.audio.device_look import DevicesLook, JackLook, PortAudioLook
from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.audio.process import AudioProcess
from midipool_client.page import way_in
from midipool_client.page.host import PageHost
from midipool_native.portaudio import SoundDevice
from tests.client.page.running import Running, playing, running, until
from tests.client.page.test_talk import Page, opened

LOOK = DevicesLook(
    JackLook("default", True, "", 48_000, 128, True),
    PortAudioLook(
        "PortAudio V19.7",
        [
            SoundDevice(0, "Card", "ALSA", 2, 2, 48_000, True, True, True),
            SoundDevice(1, "Mic", "ALSA", 1, 0, 44_100, False, False, True),
        ],
    ),
    ["Synth 20:0"],
)


@pytest.fixture
async def before(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    async def nothing(self: AudioProcess) -> None:
        self.state = "running"
        await asyncio.Event().wait()

    monkeypatch.setattr(AudioProcess, "run", nothing)
    monkeypatch.setattr(way_in, "ask_program", lambda *_: LOOK)
    host = PageHost(can_leave=True)
    async with running(host) as made:
        looking = asyncio.create_task(host.run())
        await made.enter()
        yield made
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def shown(page: Page, part: str, **fields: object) -> None:
    while any(page.state[part][name] != value for name, value in fields.items()):
        await page.hear()


async def test_a_page_that_comes_is_told_what_devices_there_are(before: Running) -> None:
    page = await opened(before)
    await shown(page, "way_in", looking=False, jack="48000 Hz, 128 frames")
    way = page.state["way_in"]
    assert [d["name"] for d in way["inputs"]] == ["Card, ALSA", "Mic, ALSA"]
    assert way["outputs"] == [{"name": "Card, ALSA", "channels": 2, "usual": True}]
    assert way["midi_ports"] == ["Synth 20:0"]
    assert (await page.ask("look_for_devices"))["type"] == "done"


async def test_devices_are_tried_with_live_levels_until_nobody_looks(before: Running) -> None:
    page = await opened(before)
    assert (await page.ask("check_devices", choice={"audio": "jack"}))["type"] == "done"
    await shown(page, "way_in", check="running")
    tried = before.host.devices.tried
    assert tried is not None
    tried.engine.levels = Levels([Level(0.5, 0.25), Level(0.25, 0.1)])
    await until(lambda: len(before.host.frame) == 12 + 4 * 8)
    await shown(page, "mixer", meters=["input", "master", "input 1", "input 2"])
    # The same devices stay open when one hears oneself; others are opened in their place.
    await page.ask("check_devices", choice={"audio": "jack"}, hear_yourself=True)
    assert before.host.devices.tried is tried
    await page.ask("check_devices", choice={"audio": "jack", "channels": 1})
    assert before.host.devices.tried is not tried
    # What was connected then is for one room, not for each that comes later.
    tried = before.host.devices.tried
    assert tried is not None
    tried.engine.connect_again([("audio_send_1", "daw:out_1")])
    await page.socket.close()
    await until(lambda: before.host.devices.tried is None)
    assert before.host.devices.take_connections() == [("audio_send_1", "daw:out_1")]
    assert before.host.devices.take_connections() == []


async def test_what_cannot_be_tried_is_refused(before: Running, tmp_path: Path) -> None:
    page = await opened(before)
    assert "no sound" in (await page.ask("check_devices", choice={"audio": "none"}))["text"]
    assert "channels" in (await page.ask("check_devices", choice={"channels": 3}))["text"]
    before.host.enter(playing(tmp_path / "settings.json"))
    assert "in no room" in (await page.ask("check_devices"))["text"]
