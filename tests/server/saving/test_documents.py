"""A room saved and loaded: wholly or not at all, by who may, and with what members add."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, given, settings

from midipool import snapshot
from midipool.errors import Refused
from midipool.messages import (
    PIECE_BYTES,
    AddSong,
    Ballot,
    LinkNodes,
    LoadRoom,
    LoadSong,
    Message,
    MyPart,
    Ok,
    PartGiven,
    PartWanted,
    RoomMode,
    RoomSaved,
    SaveRoom,
    SetMode,
    SetTempo,
    Songs,
    Start,
)
from midipool.meter import Loop, Meter
from midipool.snapshot import Place, Snapshot
from midipool.timeline import Ramp
from midipool_server.modules.specs import ModuleSpec, OptionSpec
from midipool_server.room import Room
from midipool_server.saving.documents import GATHER_US
from midipool_server.saving.incoming import PATIENCE_US
from tests.midipool.snapshot.documents import snapshots

from ..simulation import ANNA, BERT, CARL, SECOND, Simulation


def allowing(room: Snapshot) -> dict[str, ModuleSpec]:
    """What an operator would have to allow for a document's modules."""
    specs = {}
    for entry in room.modules or ():
        assume(entry.name != "anna" and not {"url", "room"} & entry.options.keys())
        options = {name: OptionSpec(default=value) for name, value in entry.options.items()}
        command = ["program", *(f"{{{name}}}" for name in options)]
        specs[entry.runs] = ModuleSpec(command, options=options)
    return specs


PART = b'{"mix":{"master_db":-3.0}}'
SONGS: list[dict[str, Any]] = [{"name": "Blue", "tempo": 90}, {"name": "Red", "loaded": True}]


@dataclass
class Band(Simulation):
    """A room whose members' clients know of documents."""

    sent_to: dict[int, list[Message]] = field(default_factory=dict)

    def come(self, id: int, name: str, remote: bool = False, token: str = "") -> None:
        known = ("chat", "songs", "snapshots")
        _, out = self.room.join(self.now_us, id, name, token, remote, f"{id:032x}", known)
        self.take(out)

    def say(self, message: Message, id: int = ANNA) -> list[Message]:
        """What the sender is told in answer."""
        out = self.take(self.room.handle(self.now_us, id, message))
        return [o.message for o in out if o.to == id]

    def told(self, id: int, of: type[Message]) -> list[Any]:
        return [o.message for _, o in self.sent if o.to == id and isinstance(o.message, of)]

    def load(
        self, id: int = ANNA, said: dict[str, Any] | None = None, **more: Any
    ) -> list[Message]:
        document = {"midipool_room": 1, "room": "stage", **(said or {}), **more}
        return self.say(LoadRoom(7, json.dumps(document).encode(), 0), id)

    def save(self, id: int = ANNA) -> dict[str, Any]:
        """Ask for it and let those answer who do."""
        before = len(self.told(id, RoomSaved))
        self.say(SaveRoom(5), id)
        self.run(GATHER_US)
        pieces = self.told(id, RoomSaved)[before:]
        assert [piece.left for piece in pieces] == list(range(len(pieces)))[::-1]
        assert {piece.id for piece in pieces} == {5}
        return json.loads(b"".join(piece.data for piece in pieces))  # type: ignore[no-any-return]

    @property
    def names(self) -> list[str]:
        return [song.name for song in self.room.songs.book.songs]


@pytest.fixture
def band() -> Band:
    clock = lambda room_us: f"at {room_us // SECOND} s"  # noqa: E731
    band = Band(Room("jam", "c10c", 8765, wall_clock=clock))
    band.come(ANNA, "anna")
    band.come(BERT, "bert")
    return band


class TestSaving:
    def test_it_has_all_that_the_room_has(self, band: Band) -> None:
        band.command(SetTempo(id=1, bpm=132.5))
        band.say(AddSong(id=2, name="Blue", bpm=90, meter=Meter(7, 8), loop=Loop(5, 9), notes="Am"))
        band.say(LoadSong(id=3, song=band.room.songs.book.songs[0].id))
        band.say(LinkNodes(id=5, source="anna", target="bert", gain_db=-6.0))
        band.say(SetMode(4, "leader", "bert"))
        band.run(SECOND)
        saved = band.save()
        (rule,) = saved.pop("graph")["rules"]
        assert (rule["source"], rule["target"], rule["gain_db"]) == ("anna", "bert", -6.0)
        assert saved.pop("saved") == "at 5002 s"
        song = {"name": "Blue", "tempo": 90.0, "meter": "7/8", "notes": "Am", "loaded": True}
        loop = {"start_bar": 5, "end_bar": 9}
        assert saved == {
            "midipool_room": 1,
            "room": "jam",
            "timeline": {"tempo": 90.0, "meter": "7/8", "loop": loop},
            "mode": {"mode": "leader", "leader": "bert"},
            "roles": {"anna": "host", "bert": "player"},
            "songs": [{**song, "loop": loop}],
        }

    def test_members_add_their_parts_and_it_is_there_when_the_last_has(self, band: Band) -> None:
        band.say(SaveRoom(5))
        for id, name in ((ANNA, "anna"), (BERT, "bert")):
            assert not band.told(ANNA, RoomSaved), name
            [wanted] = band.told(id, PartWanted)
            band.say(MyPart(wanted.gather, PART), id)
        [piece] = band.told(ANNA, RoomSaved)
        mix = {"mix": {"master_db": -3.0}}
        assert json.loads(piece.data)["members"] == {"anna": mix, "bert": mix}

    def test_who_does_not_answer_or_goes_is_not_waited_for(self, band: Band) -> None:
        band.say(SaveRoom(5))
        band.say(MyPart(1, PART), ANNA)
        band.take(band.room.lost(band.now_us, BERT))
        band.take(band.room.poll(band.now_us))
        assert len(band.told(ANNA, RoomSaved)) == 1
        assert "members" in band.save()  # what anna said before

    def test_two_who_ask_at_once_are_answered_at_once(self, band: Band) -> None:
        band.say(SaveRoom(5), ANNA)
        band.say(SaveRoom(6), BERT)
        assert len(band.told(BERT, PartWanted)) == 1
        band.run(GATHER_US)
        assert band.told(ANNA, RoomSaved)[0].id == 5
        assert band.told(BERT, RoomSaved)[0].id == 6

    def test_a_part_that_breaks_a_rule_is_refused_and_none(self, band: Band) -> None:
        band.say(SaveRoom(5))
        with pytest.raises(ValueError, match="master_db: must be -90 to 18 dB"):
            band.say(MyPart(1, b'{"mix":{"master_db":99}}'), BERT)
        band.run(GATHER_US)
        assert "members" not in json.loads(band.told(ANNA, RoomSaved)[0].data)

    def test_a_part_that_nobody_asked_for_changes_nothing(self, band: Band) -> None:
        assert band.say(MyPart(1, PART)) == []
        assert "members" not in band.save()

    def test_a_stranger_does_not_get_it(self, band: Band) -> None:
        band.come(CARL, "remote", remote=True)
        with pytest.raises(Refused, match="only members save"):
            band.say(SaveRoom(5), CARL)

    def test_nor_anybody_too_often(self, band: Band) -> None:
        for _ in range(6):
            band.say(SaveRoom(5))
        with pytest.raises(Refused, match="too often"):
            band.say(SaveRoom(5))

    def test_a_large_one_comes_in_pieces(self, band: Band) -> None:
        said = [{"name": f"s{n}", "tempo": 100, "notes": "é" * 1200} for n in range(100)]
        assert len(json.dumps(said, ensure_ascii=False).encode()) > 7 * PIECE_BYTES
        pieces = _pieces({"midipool_room": 1, "songs": said})
        assert [m for piece in pieces for m in band.say(piece)][-1].id == 7  # type: ignore[attr-defined]
        assert band.save()["songs"] == [{**song, "tempo": 100.0} for song in said]


class TestLoading:
    def test_a_room_that_stands_becomes_it_at_once(self, band: Band) -> None:
        ramp = {"to": 150, "beats": 8}
        place = {"bar": 17, "beat": 3.5}
        mode = {"mode": "leader", "leader": "carl"}
        timeline = {"tempo": 140, "meter": "7/8", "position": place, "ramp": ramp}
        [ok] = band.load(timeline=timeline, mode=mode, songs=SONGS)
        assert isinstance(ok, Ok)
        band.run(SECOND)
        after = band.timeline_at(band.now_us)
        assert (after.mbpm, after.ramp, after.playing) == (150_000, None, False)
        assert after.meter == Meter(7, 8)
        assert after.origin_beats == 16 * 3_500_000 + 2_500_000 // 2
        assert band.names == ["Blue", "Red"]
        assert band.heard(RoomMode)[-1] == RoomMode("leader", "carl")
        [songs] = [m for m in band.heard(Songs)]
        assert (songs.hand, songs.loaded and songs.loaded.by) == (False, "anna")

    def test_one_that_plays_does_on_a_bar_line_and_plays_on(self, band: Band) -> None:
        band.command(Start(id=1))
        band.run(SECOND)
        before = band.timeline_at(band.now_us)
        band.load(timeline={"tempo": 90, "ramp": {"to": 100, "beats": 4.5}})
        band.run(3 * SECOND)
        after = band.timeline_at(band.now_us)
        assert (after.playing, after.mbpm, after.ramp) == (True, 90_000, Ramp(100_000, 4_500_000))
        assert (after.origin_time_us - before.origin_time_us) % 2_000_000 == 0

    def test_who_hears_whom_is_as_it_was_saved(self, band: Band) -> None:
        usual = band.save()
        band.say(LinkNodes(id=5, source="anna", target="bert", gain_db=-6.0))
        other = band.save()
        band.load(said=usual)
        assert not band.room.floor.graph.kept().rules
        band.load(said=other)
        assert {**band.save(), "saved": ""} == {**other, "saved": ""}

    @pytest.mark.parametrize("section", ["timeline", "mode", "songs", "graph"])
    def test_what_it_does_not_name_stays(self, band: Band, section: str) -> None:
        band.load(timeline={"tempo": 99}, mode={"mode": "leader", "leader": "anna"}, songs=SONGS)
        band.run(SECOND)
        before = band.save()
        band.load(said={section: before[section]})
        band.run(SECOND)
        assert {**band.save(), "saved": ""} == {**before, "saved": ""}

    def test_unknown_keys_are_there_when_it_is_saved(self, band: Band) -> None:
        said = {
            "tour": [1, {"a": None}],
            "songs": [{"name": "Blue", "tempo": 9e1, "colour": "red"}],
        }
        band.load(said=said)
        saved = band.save()
        assert {key: saved[key] for key in said} == said
        band.load(songs=[])
        assert "tour" not in band.save()

    @settings(max_examples=40, deadline=None)
    @given(snapshots)
    def test_any_room_that_is_loaded_is_saved_as_it_was(self, room: Snapshot) -> None:
        band = Band(Room("jam", "c10c", 8765, programs=allowing(room)))
        band.come(ANNA, "anna")
        answers = [band.say(piece) for piece in _pieces(snapshot.to_builtins(room))]
        assert isinstance(answers[-1][0], Ok)
        band.run(SECOND)
        saved = snapshot.read(band.save()).snapshot
        for name in ("mode", "songs", "modules", "members"):
            wanted = getattr(room, name)
            if wanted or (wanted is not None and name == "songs"):
                assert getattr(saved, name) == wanted
        if room.timeline is not None and saved.timeline is not None:
            ramp = room.timeline.ramp
            assert saved.timeline.tempo == (room.timeline.tempo if ramp is None else ramp.to)
            assert saved.timeline.position == room.timeline.position

    @pytest.mark.parametrize(
        ("bad", "words"),
        [
            ({"timeline": {"tempo": 5}}, "timeline.tempo"),
            ({"songs": [{"name": ""}]}, r"songs\[1\].name"),
            ({"members": {"bert": {"mix": {"master_db": 99}}}}, "members.bert.mix.master_db"),
            ({"midipool_room": 9}, "update it"),
        ],
    )
    def test_a_mistake_anywhere_changes_nothing(
        self, band: Band, bad: dict[str, Any], words: str
    ) -> None:
        before = band.save()
        good = {"timeline": {"tempo": 140}, "songs": SONGS, "mode": {"mode": "vote"}}
        with pytest.raises(Refused, match=words) as caught:
            band.load(said={**good, **bad})
        assert caught.value.code == "bad_snapshot"
        assert {**band.save(), "saved": ""} == {**before, "saved": ""}

    def test_nor_does_what_the_loader_may_not(self, band: Band) -> None:
        band.say(SetMode(1, "leader", "bert"))
        with pytest.raises(Refused, match="bert leads"):
            band.load(songs=SONGS)
        band.load(BERT, songs=SONGS, mode={"mode": "open"})
        assert (band.names, band.room.authority.mode) == (["Blue", "Red"], "open")

    def test_only_who_is_in_the_room_locks_it(self, band: Band) -> None:
        band.come(CARL, "remote", remote=True)
        with pytest.raises(Refused, match="only a member can lock"):
            band.load(CARL, songs=SONGS, mode={"mode": "locked", "locked_by": "anna"})
        assert band.names == []

    def test_a_host_gives_roles_and_nobody_else(self, band: Band) -> None:
        before = {"anna": "host", "bert": "player"}
        assert band.save()["roles"] == before
        with pytest.raises(Refused, match="only a host"):
            band.load(BERT, songs=SONGS, roles={"bert": "host"})
        with pytest.raises(Refused, match="somebody must be host"):
            band.load(songs=SONGS, roles={"anna": "player"})
        assert (band.save()["roles"], band.names) == (before, [])
        band.load(BERT, songs=SONGS, roles=before)
        band.load(roles={"bert": "listener", "carl": "host"})
        assert band.save()["roles"] == {"anna": "host", "bert": "listener"}
        with pytest.raises(Refused, match="listener"):
            band.room.handle(band.now_us, BERT, LoadRoom(7, b"{}", 0))

    def test_a_room_that_votes_votes_on_it(self, band: Band) -> None:
        band.say(SetMode(1, "vote"))
        assert band.load(songs=SONGS, mode={"mode": "open"}) == []
        assert band.names == []
        with pytest.raises(Refused, match="votes on anna's 'load stage'"):
            band.load(BERT, songs=[])
        band.say(Ballot(9, 1, True), BERT)
        assert (band.names, band.room.authority.mode) == (["Blue", "Red"], "open")
        assert [a.id for a in band.answers(ANNA)][-1] == 7

    def test_songs_keep_their_ids_by_their_names(self, band: Band) -> None:
        band.say(AddSong(id=2, name="Blue", bpm=90))
        band.say(AddSong(id=3, name="Old", bpm=90))
        [blue, _] = band.room.songs.book.songs
        band.load(songs=[{"name": "New"}, {"name": "Blue", "tempo": 91}])
        assert band.names == ["New", "Blue"]
        again = band.room.songs.book.songs[1]
        assert (again.id, again.revision, again.bpm) == (blue.id, blue.revision + 1, 91)


class TestParts:
    def test_each_member_is_given_its_own(self, band: Band) -> None:
        band.load(members={"bert": {"mix": {"master_db": -3}}})
        [given] = band.told(BERT, PartGiven)
        assert (json.loads(given.data)["mix"]["master_db"], given.by) == (-3.0, "anna")
        assert band.told(ANNA, PartGiven) == []

    def test_who_comes_later_is_given_it_then_and_once(self, band: Band) -> None:
        band.load(members={"carl": {"effects": {"own": [{"kind": "gate"}]}}})
        assert band.save()["members"] == {"carl": {"effects": {"own": [{"kind": "gate"}]}}}
        band.come(CARL, "carl")
        assert len(band.told(CARL, PartGiven)) == 1
        band.take(band.room.leave(band.now_us, CARL))
        band.come(CARL + 1, "carl")
        assert band.told(CARL + 1, PartGiven) == []


class TestPieces:
    def test_one_that_is_missing_is_noticed(self, band: Band) -> None:
        assert band.say(LoadRoom(7, b"{", 3)) == []
        with pytest.raises(Refused, match="a piece is missing"):
            band.say(LoadRoom(7, b"{", 1))
        with pytest.raises(Refused, match="is not JSON"):
            band.say(LoadRoom(7, b"{", 0))

    def test_one_document_comes_at_a_time(self, band: Band) -> None:
        band.say(LoadRoom(7, b"{", 3))
        with pytest.raises(Refused, match="somebody else is loading"):
            band.load(BERT)
        band.take(band.room.lost(band.now_us, ANNA))
        assert isinstance(band.load(BERT)[0], Ok)

    def test_who_stalls_is_not_waited_for_longer_than_that(self, band: Band) -> None:
        band.say(LoadRoom(7, b"{", 3))
        band.run(PATIENCE_US)
        assert isinstance(band.load(BERT)[0], Ok)


def _pieces(document: dict[str, Any]) -> list[LoadRoom]:
    data = json.dumps(document, ensure_ascii=False).encode()
    parts = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]
    return [LoadRoom(7, part, len(parts) - n) for n, part in enumerate(parts, 1)]


def test_a_position_in_the_middle_of_a_bar_is_where_it_was(band: Band) -> None:
    band.load(timeline={"tempo": 120, "position": {"bar": 3, "beat": 2.75}})
    band.run(SECOND)
    saved = snapshot.read(band.save()).snapshot
    assert saved.timeline is not None
    assert saved.timeline.position == Place(3, 2.75)
