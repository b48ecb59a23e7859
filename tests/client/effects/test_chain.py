"""Effects come, go and move on a board that plays without a click, and in their order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")

from midipool.effects.board import Effect
from midipool.effects.kinds import KINDS
from midipool.errors import InvalidValue
from midipool_client.effects.chain import Chain
from midipool_client.effects.makers.place import Place
from midipool_client.effects.making import made_of, make
from midipool_client.effects.stage import Block, Foreign, Stage
from midipool_native.effects import EffectsMemory
from tests.client.effects.vst3 import LATENCY_FRAMES, small_plugin

RATE, PERIOD = 48_000, 128


@pytest.fixture(scope="module")
def memory() -> EffectsMemory:
    return EffectsMemory.create()


def sine(hz: float, blocks: int, peak: float = 0.3, channels: int = 1) -> list[Block]:
    at = np.arange(blocks * PERIOD) / RATE
    sound = (peak * np.sin(2 * np.pi * hz * at)).astype(np.float32)
    return [np.repeat(b[None], channels, axis=0) for b in sound.reshape(blocks, PERIOD)]


def stage_of(memory: EffectsMemory, kind: str, channels: int = 1, **values: Any) -> Stage:
    effect = Effect(id=1, kind=kind, values=values)
    stage = make(effect, Place(channels, RATE, memory))
    stage.apply(effect.all_values, 120.0)
    return stage


def through(chain: Chain, blocks: list[Block]) -> Block:
    return np.concatenate([chain.process(block) for block in blocks], axis=1)


def level(sound: Block) -> float:
    return float(20 * np.log10(sound[:, sound.shape[1] // 2 :].std() + 1e-9))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "plugin"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_every_kind_makes_sound_of_sound_and_no_more_than_it_should(
    memory: EffectsMemory, kind: str, channels: int
) -> None:
    chain = Chain()
    stage = stage_of(memory, kind, channels)
    chain.want([stage])
    out = through(chain, sine(220, 100, channels=channels))
    assert out.shape == (channels, 100 * PERIOD)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 3
    assert not stage.broken
    assert level(out) > -40, "it is heard"
    for parameter in KINDS[kind].parameters:
        for end in ("least", "most"):
            if hasattr(parameter, end):
                values = KINDS[kind].with_defaults({parameter.name: getattr(parameter, end)})
                stage.apply(values, 60.0)
                assert np.isfinite(through(chain, sine(220, 4, channels=channels))).all()


def test_a_filter_takes_what_it_should(memory: EffectsMemory) -> None:
    for hz, most_db in ((100, 1.0), (6000, -50.0)):
        chain = Chain()
        chain.want([stage_of(memory, "filter", type="low24", frequency=600)])
        assert level(through(chain, sine(hz, 200))) - level(np.hstack(sine(hz, 200))) < most_db


def test_effects_sound_in_their_order(memory: EffectsMemory) -> None:
    quiet, loud = {"gain": -40}, {"drive": 40, "level": 0}
    levels = []
    for order in (("gain", "distortion"), ("distortion", "gain")):
        chain = Chain()
        values = {"gain": quiet, "distortion": loud}
        chain.want([stage_of(memory, kind, **values[kind]) for kind in order])
        levels.append(level(through(chain, sine(220, 100))))
    assert levels[0] - levels[1] > 20, "distorted behind the gain it is as loud as ever"


def test_coming_going_and_moving_never_click(memory: EffectsMemory) -> None:
    one, two = stage_of(memory, "gain", gain=-20), stage_of(memory, "gain", gain=6)
    three = stage_of(memory, "gain", gain=-6)
    chain, out = Chain(), []
    wanted: list[list[Stage]] = [[one], [one, two], [two, one], [two, three], [], [three, one]]
    for number, block in enumerate(sine(100, 60)):
        if number % 10 == 5:
            chain.want(wanted[number // 10])
        out.append(chain.process(block))
    steps = np.abs(np.diff(np.concatenate(out, axis=1)))
    # A sine of 100 Hz at twice its strength moves by 0.008 in a frame, a fade adds to it.
    assert steps.max() < 0.02
    assert np.abs(out[-1]).max() == pytest.approx(0.3 * 10 ** (-26 / 20), rel=0.02)


def test_what_is_changed_stays_the_effect_that_it_was(memory: EffectsMemory) -> None:
    before, after = ({"time": 300.0}, {"time": 400.0})
    delay = [made_of(Effect(id=1, kind="delay", values=v)) for v in (before, after)]
    assert delay[0] == delay[1], "a delay keeps what it holds"
    room = [made_of(Effect(id=1, kind="room", values={"top": top})) for top in (5.0, 6.0)]
    assert room[0] != room[1], "another room is another effect"


def test_synced_effects_follow_the_tempo(memory: EffectsMemory) -> None:
    stage = stage_of(memory, "delay", sync="1/4", level=1.0, feedback=0.0, drift=-60)
    stage.apply(KINDS["delay"].with_defaults({"sync": "1/4", "level": 1.0, "feedback": 0.0}), 150.0)
    stage.wet = 1.0
    click = np.zeros((1, PERIOD), np.float32)
    click[0, 0] = 1.0
    blocks = [np.zeros((1, PERIOD), np.float32) for _ in range(400)]
    # It glides there, as a tape would.
    for block in blocks[:375]:
        stage.process(block)
    out = np.concatenate([stage.process(b) for b in (click, *blocks[:200])], axis=1)[0]
    assert abs(int(np.argmax(out[1:])) + 1 - RATE * 60 // 150) < 250


class Late:
    """A plug-in with latency: it gives nothing at first, and then what it got."""

    def __init__(self, frames: int) -> None:
        self._waiting = np.zeros((1, 0), np.float32)
        self._frames = frames

    def process(self, block: Block, rate: int, frames: int, reset: bool) -> Block:
        self._waiting = np.concatenate((self._waiting, block), axis=1)
        ready = max(self._waiting.shape[1] - self._frames, 0)
        out, self._waiting = self._waiting[:, :ready], self._waiting[:, ready:]
        return out


def test_a_plug_in_with_latency_says_so_and_loses_nothing(memory: EffectsMemory) -> None:
    foreign = Foreign([Late(300)], RATE, 7, doubled=False, memory=memory)
    blocks = sine(220, 20)
    out = np.concatenate([foreign(block) for block in blocks], axis=1)
    assert foreign.latency == 300
    assert np.allclose(out[:, 300:], np.concatenate(blocks, axis=1)[:, :-300])


def test_a_plug_in_for_one_channel_is_there_for_each(memory: EffectsMemory) -> None:
    foreign = Foreign([Late(10), Late(20)], RATE, 7, doubled=False, memory=memory)
    blocks = sine(220, 20, channels=2)
    out = np.concatenate([foreign(block) for block in blocks], axis=1)
    played = np.concatenate(blocks, axis=1)
    assert np.allclose(out[0, 10:], played[0, :-10])
    assert np.allclose(out[1, 20:], played[1, :-20])
    assert foreign.latency == 20


class Raising:
    def process(self, *said: Any) -> Block:
        raise RuntimeError("no licence")


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_vst3_of_two_channels_fits_every_board(
    memory: EffectsMemory, tmp_path: Path, channels: int
) -> None:
    chain, file = Chain(), str(small_plugin(tmp_path))
    stage = stage_of(memory, "plugin", channels, file=file, gain=0.5)
    assert stage.found == {"gain": 1.0, "harm": 0.0}
    chain.want([stage])
    sound = sine(1000, 20, channels=channels)
    out, whole = through(chain, sound), np.concatenate(sound, axis=1)
    begun = 2 * PERIOD  # it is faded in
    heard, played = out[:, begun:], whole[:, begun - LATENCY_FRAMES : -LATENCY_FRAMES]
    np.testing.assert_allclose(heard, 0.5 * played, atol=1e-6)
    assert stage.latency == LATENCY_FRAMES


def test_a_file_that_is_no_plug_in_says_so(memory: EffectsMemory, tmp_path: Path) -> None:
    (tmp_path / "no.vst3").write_text("no plug-in")
    for file in (tmp_path / "no.vst3", tmp_path / "away.vst3"):
        with pytest.raises(InvalidValue, match=f"{file.name} cannot be loaded"):
            stage_of(memory, "plugin", file=str(file))


def test_a_plug_in_that_raises_is_passed_by(memory: EffectsMemory) -> None:
    foreign = Foreign([Raising()], RATE, 7, doubled=False, memory=memory)
    broken = Stage([foreign], lambda values, bpm: None)
    chain = Chain()
    chain.want([broken])
    out = through(chain, sine(220, 4))
    assert np.allclose(out, np.hstack(sine(220, 4)))
    assert "no licence" in broken.broken
