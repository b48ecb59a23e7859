"""What engines are told of boards that change; and what the shell is told."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from midipool.effects.board import Boards
from midipool.errors import InvalidValue, MidiPoolError
from midipool_client.audio.engine_messages import AudioConfig, AudioReady, Inserts, ToAudioEngine
from midipool_client.audio.process import AudioProcess
from midipool_client.effects import rack as rack_module
from midipool_client.effects.commands import obey
from midipool_client.effects.folder import EffectsFolder
from midipool_client.effects.messages import EffectsConfig, EffectsStatus, Pitch, Work
from midipool_client.effects.process import EffectsProcess
from midipool_client.effects.rack import Rack
from midipool_client.effects.sharing import shared_names
from midipool_native.effects import EffectsMemory

READY = AudioReady("JACK", 48_000, 128, True, 40_000, priority=10)


class FakeAudio(AudioProcess):
    """Remembers what it is told."""

    def __init__(self) -> None:
        super().__init__(AudioConfig("midiPool", 2), lambda ready: None, lambda rare: None)
        self.told: list[ToAudioEngine] = []

    def tell(self, message: ToAudioEngine) -> None:
        self.told.append(message)


class FakeEffects(EffectsProcess):
    """Obeys at once; starts nothing."""

    works: list[Work]
    config: EffectsConfig | None = None
    obeys = True

    async def want(self, config: EffectsConfig, work: Work) -> None:
        self.config = config
        self.works = [*getattr(self, "works", []), work]
        if self.obeys:
            pitch = Pitch(110.0, "A2", 0.0) if work.tuner else None
            self.status = EffectsStatus(work.version, 0.01, 0.02, (0, 0), pitch=pitch)

    async def end(self) -> None:
        self.config = self.status = None


class Scene:
    """A rack between two engines that are none."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(rack_module, "EffectsProcess", FakeEffects)
        patch.setattr(rack_module, "LINGER_S", 0.0)
        self.audio = FakeAudio()
        self.audio.ready = READY
        self.bpm = 120.0
        self.folder = EffectsFolder(folder)
        self.rack = self.made()

    def made(self) -> Rack:
        memory = EffectsMemory.create()
        return Rack("midiPool", 2, self.audio, memory, lambda: self.bpm, self.folder)

    @property
    def effects(self) -> FakeEffects:
        process = self.rack._process
        assert isinstance(process, FakeEffects)
        return process

    async def ask(self, what: str, **words: Any) -> str:
        running = asyncio.create_task(self.rack.run())
        try:
            return await obey(self.rack, {"do": f"effects_{what}", **words})
        finally:
            await asyncio.sleep(0.03)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path / "effects", monkeypatch)


async def test_an_effect_is_put_in_once_its_engine_has_it(scene: Scene) -> None:
    scene.effects.obeys = False
    scene.rack.set_boards(_boards("own", "gain"))
    await scene.rack._look()
    assert scene.audio.told == [Inserts()]
    scene.effects.obeys = True
    await scene.rack._look()
    await scene.rack._look()
    assert scene.audio.told[-1] == Inserts(own="on")
    assert scene.effects.config == EffectsConfig(scene.effects.memory_fd, 48_000, 2, 2, 8)


def _boards(place: str, *kinds: str) -> Boards:
    from midipool.effects.board import Board, Effect

    effects = tuple(Effect(id=n, kind=kind) for n, kind in enumerate(kinds, 1))
    return Boards({place: Board(effects)})


async def test_a_dead_engine_stays_in_its_place_and_a_new_audio_engine_is_told(
    scene: Scene,
) -> None:
    await scene.ask("add", board="master", kind="gain")
    scene.rack._process.status = None
    scene.effects.obeys = False
    told = len(scene.audio.told)
    await scene.rack._look()
    assert len(scene.audio.told) == told, "what is played is as late as before"
    scene.effects.obeys = True
    scene.audio.ready = msgspec.structs.replace(READY, rate=44_100)
    await scene.rack._look()
    await scene.rack._look()
    assert scene.audio.told[-1] == Inserts(master="on")
    assert scene.effects.config is not None
    assert scene.effects.config.rate == 44_100


async def test_only_what_is_not_bypassed_needs_an_engine(scene: Scene) -> None:
    await scene.ask("add", board="1", kind="delay", values={"time": 300})
    assert scene.effects.works[-1].boards["1"][0].values == {"time": 300}
    said = await scene.ask("bypass", board="1", position=1)
    assert "delay (bypassed)" in said
    await scene.rack._look()
    await scene.rack._look()
    assert scene.audio.told[-1] == Inserts()
    assert scene.effects.config is None


async def test_a_plug_in_that_crashed_is_bypassed_and_says_so(scene: Scene) -> None:
    await scene.ask("add", board="own", kind="gain")
    await scene.ask("add", board="own", kind="plugin", values={"file": "/x.vst3"})
    scene.rack._died(2, "it crashed (-11)")
    await scene.rack._look()
    assert [e.kind for e in scene.effects.works[-1].boards["own"]] == ["gain"]
    assert "bypassed: it crashed (-11)" in await scene.ask("show")
    assert "crashed" not in await scene.ask("bypass", board="own", position=2, bypass=False)
    scene.rack._died(0, "it crashed (-9)")
    assert len(scene.rack.boards.board("own").active) == 2, "nobody was at work"


async def test_boards_are_as_they_were_left(scene: Scene) -> None:
    await scene.ask("add", board="master", kind="reverb", values={"level": 0.7})
    assert scene.made().boards == scene.rack.boards
    [path] = (scene.folder.folder / "boards").iterdir()
    path.write_text("{")
    assert scene.made().boards == Boards(), "a broken file is complained of, and all else works"


async def test_presets_are_kept_loaded_and_deleted(scene: Scene) -> None:
    await scene.ask("add", board="1", kind="fuzz")
    assert "kept as wild" in await scene.ask("save", board="1", name="wild")
    assert "fuzz" in await scene.ask("load", board="2", name="wild")
    assert [e.id for e in scene.rack.boards.all_effects()] == [1, 2]
    assert scene.folder.names() == ["wild"]
    text = await scene.ask("export", board="1", name="wild")
    assert "fuzz" in await scene.ask("import", board="master", json=text)
    scene.folder.delete("wild")
    with pytest.raises(InvalidValue, match="none called wild; there are: none"):
        await scene.ask("load", board="1", name="wild")


class FakeTalk:
    """A room's chat that everybody hears."""

    def __init__(self) -> None:
        self.lines = ["effects are great", "effects lead: gain gain=3"]

    async def say(self, text: str) -> None:
        self.lines.append(text)


async def test_boards_are_shared_with_the_room(scene: Scene) -> None:
    await scene.ask("add", board="1", kind="fuzz", values={"drive": 20})
    with pytest.raises(MidiPoolError, match="no room to share"):
        await scene.ask("share", board="1", name="mine")
    scene.rack.talk = talk = FakeTalk()
    assert "mine" in await scene.ask("share", board="1", name="mine")
    assert talk.lines[-1] == "effects mine: fuzz drive=20"
    assert "gain 3 dB" in await scene.ask("take", board="2", name="lead")
    assert shared_names(scene.rack) == ["lead", "mine"]
    with pytest.raises(InvalidValue, match="nobody shared effects called wild"):
        await scene.ask("take", board="2", name="wild")


async def test_the_tuner_listens_without_an_effect(scene: Scene) -> None:
    assert await scene.ask("tuner", channel=2) == "A2 +0.0 cents (110.00 Hz)"
    assert scene.effects.works[-1].tuner == 2
    assert scene.audio.told[-1] == Inserts(own="feed")
    assert await scene.ask("tuner", channel=0) == "the tuner is off"


async def test_the_tempo_is_told_on(scene: Scene) -> None:
    await scene.ask("add", board="1", kind="delay", values={"sync": "1/8"})
    scene.bpm = 141.5
    await scene.rack._look()
    assert scene.effects.works[-1].bpm == 141.5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"do": "effects_add", "board": "3", "kind": "gain"}, "there is no own channel 3"),
        ({"do": "effects_add", "board": "own", "kind": "wah"}, "kind: must be one of"),
        ({"do": "effects_add", "board": "left", "kind": "gain"}, "board: must be 1 to 4"),
        ({"do": "effects_remove", "board": "own", "position": 1}, "there is no effect 1"),
        ({"do": "effects_fly"}, "effects: Invalid value 'effects_fly'"),
        ({"do": "effects_add", "board": 1, "kind": "gain"}, "effects: Expected `str`"),
        ({"do": "effects_tuner", "channel": 5}, "channel: must be 1 to 2"),
    ],
)
async def test_what_cannot_be_is_refused(scene: Scene, words: dict[str, Any], says: str) -> None:
    with pytest.raises(MidiPoolError) as refused:
        await obey(scene.rack, words)
    assert says in str(refused.value)
    assert scene.rack.boards == Boards()


async def test_without_libraries_one_line_says_what_to_install(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MidiPoolError, match=r"pip install 'midipool\[effects\]'"):
        await obey(scene.rack, {"do": "effects_add", "board": "own", "kind": "gain"})
    with pytest.raises(MidiPoolError, match="no audio to put effects on"):
        await obey(None, {"do": "effects_show"})
