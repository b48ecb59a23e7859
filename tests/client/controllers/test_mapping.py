"""From a controller's bytes to what a page would ask for."""

import functools
import random
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from midipool.audio.listening import Listening
from midipool.audio.strips import Mix, OwnChannel, Strip
from midipool.errors import InvalidValue
from midipool.timeline import Timeline
from midipool_client.controllers import looking
from midipool_client.controllers.goals import goal_of
from midipool_client.controllers.law import FADER, Law
from midipool_client.controllers.mapping import ControllerMap
from midipool_client.controllers.sources import Moved, Source, moved_by, source_of
from midipool_client.controllers.target import Target
from midipool_client.page.state import (
    ChannelView,
    ClickPort,
    MixerPart,
    RecordingPart,
    State,
    Transport,
)
from midipool_client.page.take_state import RecordingNow
from midipool_client.page_settings import PageSettings

S = 1_000_000
GAIN: dict[str, Any] = {"request": {"type": "set_strip", "member": "bass"}, "field": "gain_db"}
MUTE: dict[str, Any] = {"request": {"type": "set_strip", "member": "bass"}, "field": "mute"}
UNITY = 0.75
"""The place of 0 dB."""


def at(gain_db: float = 0.0, playing: bool = False, bpm: float = 120, **strip: Any) -> State:
    """A client whose strip of the bass stands so."""
    mix = Mix(strips={"bass": Strip(gain_db=gain_db, **strip)})
    line = Timeline(playing=playing, mbpm=round(bpm * 1000))
    return State(
        mixer=MixerPart(listening=Listening(mix=mix)), transport=Transport(timelines=[line])
    )


@dataclass
class Hands:
    """Somebody at controllers; what is asked for happens at once."""

    state: State = field(default_factory=at)
    map: ControllerMap = field(default_factory=ControllerMap)
    now_us: int = 0

    def learned(self, source: str, **target: Any) -> "Hands":
        goals = {str(s): g.target for s, g in self.map.goals.items()}
        self.map.set_learned({**goals, source: Target(**target)})
        return self

    def sends(self, *data: int, after_us: int = 2 * S) -> list[dict[str, Any]]:
        """What is asked for by these bytes, without `id`."""
        self.now_us += after_us
        asked, _ = self.map.heard(bytes(data), self.now_us, lambda: self.state)
        return [{n: v for n, v in request.items() if n != "id"} for _, request in asked]

    def fader(self, value: int, after_us: int = 2 * S) -> float | None:
        """The gain that a CC 7 of this value asks for, which the strip then has."""
        asked = self.sends(0xB0, 7, value, after_us=after_us)
        if not asked:
            return None
        gain_db = asked[-1]["gain_db"]
        self.state = at(gain_db)
        return float(gain_db)


# ---- what a message moves ----


@pytest.mark.parametrize(
    ("data", "moved"),
    [
        (b"\xb0\x07\x64", Moved(Source("cc", 1, 7), 100)),
        (b"\xbf\x40\x00", Moved(Source("cc", 16, 64), 0)),
        (b"\x92\x3c\x01", Moved(Source("note", 3, 60), 1)),
        (b"\x82\x3c\x40", Moved(Source("note", 3, 60), 0)),
        (b"\xc0\x05", Moved(Source("program", 1, 5), 127)),
        (b"\xe0\x7f\x7f", Moved(Source("bend", 1), 16383, 16383)),
        (b"\xa0\x3c\x40", None),
        (b"\xd0\x40", None),
        (b"\xf8", None),
        (b"\xf0\x7f\xf7", None),
        (b"", None),
    ],
)
def test_a_message_is_of_a_source(data: bytes, moved: Moved | None) -> None:
    assert moved_by(data) == moved
    if moved is not None:
        assert source_of(str(moved.source)) == moved.source


@pytest.mark.parametrize(
    "text",
    ["", "cc", "cc:0:7", "cc:17:7", "cc:1:128", "cc14:1:32", "bend:0", "knob:1:1", "cc:1:7 "],
)
def test_what_is_no_source_is_said(text: str) -> None:
    with pytest.raises(InvalidValue, match="cc:CHANNEL:NUMBER"):
        source_of(text)


def test_the_middle_of_a_controller_is_the_middle() -> None:
    assert [Moved(Source("cc", 1, 10), raw).balance for raw in (0, 64, 127)] == [0, 0.5, 1]
    assert Moved(Source("bend", 1), 8192, 16383).balance == 0.5


def test_the_law_is_that_of_the_pages_faders() -> None:
    law = Law(FADER)
    assert [law.value(x) for x in (0, 0.2, 0.75, 1)] == [-90, -40, 0, 12]
    for db in (-90, -60, -33.3, -6, 0, 3.5, 12):
        assert law.value(law.place(db)) == pytest.approx(db, abs=0.05)
    assert law.place(18) == 1


# ---- levels ----


def test_a_fader_takes_hold_only_where_the_value_is() -> None:
    hands = Hands().learned("cc:1:7", **GAIN)
    assert hands.map.waits(Source("cc", 1, 7))
    assert hands.fader(10) is None
    assert hands.fader(60) is None
    assert hands.fader(95) == pytest.approx(0, abs=0.5)
    assert not hands.map.waits(Source("cc", 1, 7))
    assert hands.fader(127) == 12
    assert hands.fader(0) == -90


def test_a_fader_takes_hold_when_it_passes_the_value() -> None:
    hands = Hands().learned("cc:1:7", **GAIN)
    assert hands.fader(20) is None
    assert hands.fader(120) == pytest.approx(9.4, abs=0.2)


def test_a_fader_lets_go_when_somebody_else_moves_the_value() -> None:
    hands = Hands().learned("cc:1:7", **GAIN)
    hands.fader(95)
    hands.state = at(-20)
    assert hands.fader(97) is None
    assert hands.fader(50) is not None


def test_a_fader_that_moves_fast_holds_before_its_last_value_is_seen() -> None:
    hands = Hands().learned("cc:1:7", **GAIN)
    hands.fader(95)
    for value in (80, 60, 40):  # the state stays as it was
        assert hands.sends(0xB0, 7, value, after_us=3_000)


def test_nothing_is_asked_for_twice() -> None:
    hands = Hands().learned("cc:1:7", **GAIN)
    hands.fader(95)
    assert hands.sends(0xB0, 7, 95) == []


def test_a_fader_may_jump_and_have_other_ends() -> None:
    hands = Hands().learned("cc:1:7", **GAIN, how="jump", low=-12.0, high=0.0)
    assert [hands.fader(value) for value in (127, 0, 127)] == [None, -12, 0]


def test_a_pan_is_in_the_middle_at_64() -> None:
    request = {"type": "set_strip", "member": "bass"}
    hands = Hands(at(pan=-1)).learned("cc:1:10", request=request, field="pan", how="jump")
    (asked,) = hands.sends(0xB0, 10, 64)
    assert asked == {"type": "set_strip", "member": "bass", "pan": 0.0}


@pytest.mark.parametrize(
    ("how", "up", "down"),
    [("relative", 1, 127), ("relative-offset", 65, 63), ("relative-sign", 1, 65)],
)
def test_an_endless_encoder_turns_from_where_the_value_is(how: str, up: int, down: int) -> None:
    hands = Hands(at(-6)).learned("cc:1:7", **GAIN, how=how)
    higher = hands.fader(up)
    assert higher is not None
    assert -6 < higher < -5.5
    assert hands.fader(down) == pytest.approx(-6, abs=0.11)


def test_fourteen_bits_move_when_both_halves_are_there() -> None:
    hands = Hands().learned("cc14:1:7", **GAIN, how="jump")
    assert hands.sends(0xB0, 7, 64) == []
    (asked,) = hands.sends(0xB0, 39, 0)
    assert asked["gain_db"] == Law(FADER).value(8192 / 16383)
    (asked,) = hands.sends(0xB0, 39, 100)  # the lower half alone
    assert asked["gain_db"] == Law(FADER).value(8292 / 16383)


def test_a_bend_wheel_is_a_fader_too() -> None:
    hands = Hands(at(-20)).learned("bend:1", **GAIN, how="jump")
    assert hands.sends(0xE0, 0x7F, 0x7F)[0]["gain_db"] == 12


def test_the_tempo_moves_between_its_ends() -> None:
    hands = Hands(at(bpm=100)).learned("cc:1:7", request={"type": "tempo"}, low=80.0, high=160.0)
    assert hands.sends(0xB0, 7, 0) == []
    assert hands.sends(0xB0, 7, 127) == [{"type": "tempo", "bpm": 160.0}]


# ---- switches, presses, gestures ----


def test_a_press_turns_a_switch_over_as_it_is_now() -> None:
    hands = Hands().learned("cc:1:64", **MUTE)
    assert hands.sends(0xB0, 64, 127)[0]["mute"] is True
    hands.state = at(mute=True)
    assert hands.sends(0xB0, 64, 0) == []
    assert hands.sends(0xB0, 64, 127)[0]["mute"] is False


def test_a_pedal_that_never_says_that_it_is_let_go_toggles_each_time() -> None:
    hands = Hands().learned("cc:1:64", **MUTE)
    assert len(hands.sends(0xB0, 64, 127)) == len(hands.sends(0xB0, 64, 127)) == 1


def test_a_pedal_that_moves_through_its_middle_presses_once() -> None:
    hands = Hands().learned("cc:1:64", **MUTE)
    assert [len(hands.sends(0xB0, 64, value)) for value in (40, 70, 90, 127, 80, 30, 66)] == [
        0, 1, 0, 0, 0, 0, 1,
    ]  # fmt: skip


def test_a_switch_may_hold_as_long_as_it_is_pressed() -> None:
    hands = Hands().learned("note:1:60", **MUTE, how="hold")
    assert hands.sends(0x90, 60, 100)[0]["mute"] is True
    hands.state = at(mute=True)
    assert hands.sends(0x90, 60, 0)[0]["mute"] is False


def test_programs_and_keys_press() -> None:
    locate = {"type": "locate", "position": {"bar": 17, "beat": 1}}
    hands = Hands().learned("program:1:4", request=locate)
    hands.learned("note:2:36", request={"type": "start", "count_in_bars": 1})
    assert hands.sends(0xC0, 4) == [locate]
    assert hands.sends(0xC0, 5) == []
    assert hands.sends(0x91, 36, 1) == [{"type": "start", "count_in_bars": 1}]
    assert hands.sends(0x81, 36, 64) == []


def test_a_pedal_begins_and_ends_a_recording() -> None:
    hands = Hands().learned("cc:1:64", request={"type": "record"})
    page = PageSettings(record_format="wav", quota_gb=2.0)
    hands.state = msgspec.structs.replace(at(), page=page)
    start = {"type": "record_start", "format": "wav", "quota_gb": 2.0}
    assert hands.sends(0xB0, 64, 127) == [start]
    now = RecordingNow(name="take", phase="recording")
    hands.state = msgspec.structs.replace(at(), recording=RecordingPart(now=now))
    hands.sends(0xB0, 64, 0)
    assert hands.sends(0xB0, 64, 127) == [{"type": "record_stop"}]


def test_a_channel_and_the_click_are_seen_as_they_are() -> None:
    channel = ChannelView(channel=2, strip=OwnChannel(gain_db=-6), pan=1.0, heard=True)
    mix = Mix(channels={"2": channel.strip})
    mixer = MixerPart(
        listening=Listening(mix=mix), channels=[channel], clicks=[ClickPort(name="m", on=True)]
    )
    seen = functools.partial(looking.current, State(mixer=mixer))
    assert seen({"type": "set_channel", "channel": 2}, "gain_db") == -6
    assert seen({"type": "set_channel", "channel": 2}, "pan") == 1.0
    assert seen({"type": "set_channel", "channel": 2}, "mute") is False
    assert seen({"type": "switch_click", "port": 1}, "on") is True
    assert seen({"type": "switch_click", "port": 9}, "on") is None
    assert seen({"type": "set_mix"}, "monitor_db") == -90
    assert seen({"type": "set_click"}, "volume") == 1.0


def test_play_starts_or_stops_and_taps_set_the_tempo() -> None:
    hands = Hands().learned("cc:1:64", request={"type": "play"})
    hands.learned("cc:1:65", request={"type": "tap"})
    assert hands.sends(0xB0, 64, 127) == [{"type": "start"}]
    hands.state = at(playing=True)
    hands.sends(0xB0, 64, 0)
    assert hands.sends(0xB0, 64, 127) == [{"type": "stop"}]
    taps = [hands.sends(0xB0, 65, 127, after_us=500_000) for _ in range(3)]
    assert taps == [[], [{"type": "tempo", "bpm": 120.0}], [{"type": "tempo", "bpm": 120.0}]]
    assert hands.sends(0xB0, 65, 127, after_us=3 * S) == []  # anew


# ---- learning ----


def learn(hands: Hands, target: dict[str, Any], *data: int) -> str | None:
    """The source that is learned by these bytes, or by waiting after them."""
    hands.map.learn(Target(**target), hands.now_us)
    hands.now_us += 1000
    asked, source = hands.map.heard(bytes(data), hands.now_us, lambda: hands.state)
    assert asked == []
    if source is None:
        due_us = hands.map.next_deadline()
        assert due_us is not None
        source = hands.map.poll(due_us)
    return None if source is None else str(source)


@pytest.mark.parametrize(
    ("target", "data", "source"),
    [
        (GAIN, (0xB0, 7, 3), "cc:1:7"),
        (GAIN, (0xB0, 7, 3, 0xB0, 7, 4), "cc:1:7"),
        (GAIN, (0xB0, 7, 3, 39, 0), "cc14:1:7"),  # by running status
        (GAIN, (0xB0, 70, 3), "cc:1:70"),
        (GAIN, (0xE3, 0, 64), "bend:4"),
        (GAIN, (0x90, 60, 100, 0xB1, 7, 3), "cc:2:7"),
        (GAIN, (0x90, 60, 100), None),
        ({**GAIN, "how": "relative"}, (0xB0, 7, 1, 39, 0), "cc:1:7"),
        (MUTE, (0xB0, 7, 0, 0xB0, 64, 127), "cc:1:64"),
        (MUTE, (0x90, 60, 1), "note:1:60"),
        (MUTE, (0xC1, 9), "program:2:9"),
        (MUTE, (0xE0, 0, 127), None),
    ],
)
def test_what_moves_first_and_fits_is_learned(
    target: dict[str, Any], data: tuple[int, ...], source: str | None
) -> None:
    assert learn(Hands(), target, *data) == source


def test_learning_ends_by_itself_and_when_told() -> None:
    hands = Hands()
    hands.map.learn(Target(**GAIN), 0)
    assert hands.map.poll(29 * S) is None
    assert hands.map.learning is not None
    assert hands.map.poll(31 * S) is None
    assert hands.map.learning is None
    hands.map.learn(Target(**GAIN), 0)
    hands.map.stop_learning()
    assert hands.map.heard(b"\xb0\x07\x01", 1, lambda: hands.state) == ([], None)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"request": {"type": "no_such"}}, "nothing that a controller can do"),
        ({"request": {}}, "nothing that a controller can do"),
        ({"request": {"type": "learn", "request": {}}}, "nothing that a controller can do"),
        ({"request": {"type": "set_strip", "member": "b"}, "field": "loud"}, "has no loud"),
        ({"request": {"type": "set_strip", "member": 5}, "field": "gain"}, "member"),
        ({**GAIN, "how": "toggle"}, "of a level must be"),
        ({**MUTE, "how": "jump"}, "of a switch must be"),
        ({**GAIN, "low": -100.0}, "gain_db"),
        ({**GAIN, "low": 0.0, "high": 0.0}, "no ends"),
        ({"request": {"type": "start"}, "field": "at"}, "no level and no switch"),
        ({"request": {"type": "play"}, "how": "hold"}, "of play"),
    ],
)
def test_what_cannot_be_learned_is_refused(target: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        goal_of(Target(**target))


@pytest.mark.parametrize(
    ("request_", "field_", "kind"),
    [
        ({"type": "set_strip", "member": "bass", "gain_db": -3.5}, "gain_db", "level"),
        ({"type": "set_strip", "member": "bass", "mute": True}, "mute", "switch"),
        ({"type": "tempo", "bpm": 130}, "bpm", "level"),
        ({"type": "bypass_effect", "effect": 3, "bypass": True}, "bypass", "switch"),
        ({"type": "switch_click", "port": 1, "on": True}, "on", "switch"),
        ({"type": "start"}, "", "press"),
        ({"type": "ballot", "vote": 1, "yes": True}, "", "press"),
    ],
)
def test_the_field_that_a_page_would_set_is_the_one_that_moves(
    request_: dict[str, Any], field_: str, kind: str
) -> None:
    goal = goal_of(Target(request_))
    assert (goal.target.field, goal.kind) == (field_, kind)


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_break_it(seed: int) -> None:
    hands = Hands().learned("cc:1:7", **GAIN).learned("note:1:60", **MUTE)
    rubbish = random.Random(seed).randbytes(2000)
    hands.map.learn(Target(**GAIN), 0)
    for start in range(0, len(rubbish), 7):
        hands.sends(*rubbish[start : start + 7], after_us=1000)
    hands.map.stop_learning()
    hands.sends(0xF7)
    hands.fader(0)
    assert hands.fader(127) == 12


def test_what_the_settings_say_and_makes_no_sense_is_passed_over() -> None:
    hands = Hands()
    hands.map.set_learned(
        {"cc:1:7": Target(**GAIN), "cc:99:7": Target(**GAIN), "cc:1:8": Target({})}
    )
    assert list(map(str, hands.map.goals)) == ["cc:1:7"]
