"""A client's own part of a document: its mix and effects, out and in."""

from pathlib import Path

import msgspec
import pytest

from midipool.audio.strips import Mix, Strip
from midipool.effects.board import Board, Boards, Effect
from midipool.messages import PartGiven
from midipool.snapshot.members import MemberPart, decode_part
from midipool_client.effects.rack import Rack
from midipool_client.live_settings import LiveSettings
from midipool_client.snapshots.own_part import OwnPart

from ..page.running import playing

MIX = Mix(master_db=-3.0, strips={"bass": Strip(gain_db=-6.0)})
GATE = Effect(id=3, kind="gate", bypass=True, values={"hold": 30.0})
PLUGIN = Effect(id=7, kind="plugin", bypass=True, values={"file": "/mine.vst3"})


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[OwnPart, LiveSettings, Rack]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = playing(tmp_path / "settings.json")
    rack = made.player.effects
    assert rack is not None
    return OwnPart("me", made.live, rack), made.live, rack


def kinds(rack: Rack) -> list[str]:
    return [effect.kind for effect in rack.boards.all_effects()]


def test_what_it_says_it_becomes_again(own: tuple[OwnPart, LiveSettings, Rack]) -> None:
    part, live, rack = own
    live.listen(msgspec.structs.replace(live.listening, mix=MIX))
    rack.set_boards(Boards({"own": Board((GATE, PLUGIN))}))
    said = part.said()
    live.listen(msgspec.structs.replace(live.listening, mix=Mix()))
    rack.set_boards(Boards())
    part.given(PartGiven(said, by="me"))
    assert live.listening.mix == MIX
    assert [(e.kind, e.bypass, e.values) for e in rack.boards.all_effects()] == [
        (e.kind, e.bypass, e.values) for e in (GATE, PLUGIN)
    ]
    assert part.said() == said


def test_what_is_missing_stays(own: tuple[OwnPart, LiveSettings, Rack]) -> None:
    part, live, rack = own
    rack.set_boards(Boards({"own": Board((GATE,))}))
    part.given(PartGiven(b'{"mix":{"master_db":-3}}', by="other"))
    assert (live.listening.mix.master_db, kinds(rack)) == (-3, ["gate"])
    part.given(PartGiven(b'{"effects":{}}', by="other"))
    assert (live.listening.mix.master_db, kinds(rack)) == (-3, [])


def test_what_others_load_opens_no_file_that_is_not_ours(
    own: tuple[OwnPart, LiveSettings, Rack], caplog: pytest.LogCaptureFixture
) -> None:
    part, _, rack = own
    rack.set_boards(Boards({"own": Board((GATE, PLUGIN))}))
    mine = part.said()
    theirs = mine.replace(b"/mine.vst3", b"/tmp/their.vst3")
    part.given(PartGiven(theirs, by="other"))
    assert kinds(rack) == ["gate"]
    assert "/tmp/their.vst3" in caplog.text
    part.given(PartGiven(mine, by="other"))
    assert kinds(rack) == ["gate"]
    rack.set_boards(Boards({"1": Board((PLUGIN,))}))
    part.given(PartGiven(mine, by="other"))
    assert kinds(rack) == ["gate", "plugin"]


@pytest.mark.parametrize("data", [b"", b'{"mix":{"master_db":99}}', b'{"effects":{"x":[]}}'])
def test_what_breaks_a_rule_changes_nothing(
    own: tuple[OwnPart, LiveSettings, Rack], data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    part, live, _ = own
    before = live.listening
    part.given(PartGiven(data, by="other"))
    assert live.listening == before
    assert "what other loaded is not taken" in caplog.text


def test_without_audio_there_is_a_mix(own: tuple[OwnPart, LiveSettings, Rack]) -> None:
    assert decode_part(OwnPart("me", own[1], None).said()) == MemberPart(mix=Mix())
