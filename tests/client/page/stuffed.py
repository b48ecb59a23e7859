"""A client whose page has all that it can have: many players, long names, a vote, bad links."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import msgspec

from midipool.effects.board import Board, Boards, Effect
from midipool.graph.editing import edited
from midipool.graph.graph import Graph
from midipool.messages import (
    Access,
    AtTheDoor,
    Error,
    Hearing,
    HearOnly,
    Invitation,
    LinkNodes,
    MemberAccess,
    MemberInfo,
    MemberStatus,
    Message,
    ModuleOption,
    ModuleProgram,
    Modules,
    Ok,
    RoomMode,
    RoomModule,
    SetGroup,
    Vote,
)
from midipool.meter import Loop, Meter
from midipool.song_book import SongBook
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import AudioReady, Level, Levels
from midipool_client.audio.process import AudioProcess
from midipool_client.audio.room_audio import RoomAudio
from midipool_client.controllers.target import Target
from midipool_client.live_settings import Playing
from midipool_client.page import host
from midipool_client.page.state import Change
from midipool_client.page.view import RoomDescription
from midipool_client.playback.opened import played_tracks
from midipool_client.playback.plan import TakePlan
from midipool_client.playback.player import Take
from midipool_client.player import Player
from midipool_client.recording.current import Current
from midipool_client.recording.folder import Prepared
from midipool_client.recording.library import Library
from midipool_client.recording.manifest import write_manifest
from midipool_client.room_url import RoomUrl
from tests.client.page.hostile import LINES, LOADED, SONGS
from tests.client.page.running import NASTY, playing
from tests.client.playback.takes import manifest, recorded, song

OTHERS = (
    *("drums", "bass", "keys", "Ann-Kathrin of the Northern Lights Orchestra", NASTY, "lead vox"),
    *("guitar", "percussion 2", "sax", "strings"),
)


INVITED = "ab-_.9" * 40
DELAY = ModuleProgram(
    "delay",
    "an echo",
    [ModuleOption("beats", 0.75, 0.25, 4.0), ModuleOption("tape", "old", choices=["old", "new"])],
)
SLOW = "it does not keep up: sound of it comes too late"


def status(number: int) -> MemberStatus:
    return MemberStatus(
        round_trip_us=12_345.6 * number,
        error_bound_us=120.0 + 3_000 * number,
        drift_ppm=12.345,
        jitter_us=87.0,
        offset_us=123_456_789.0,
        engine="running",
        ticks=123_456,
        late_ticks=number * 11,
        tick_jitter_us=21.0 + 300 * number,
    )


def hearing(member: str, number: int) -> Hearing:
    return Hearing(
        member=member,
        profile="jam",
        latency_ms=9.87 + number,
        loss=0.012 * number,
        residual_loss=0.0 if number < 3 else 0.0456,
        jitter_ms=1.25 * number,
        target_ms=5.5 + number,
        path="relay" if number % 2 else "direct",
        reason="both routers are symmetric: no direct way was found, so the relay is taken",
        buffer="5.5 ms for jitter and repair",
    )


def stuffed(settings: Path) -> Playing:
    """As after some minutes in a busy room."""
    client = playing(settings)
    player = client.player
    follower = player.follower
    follower.members = [MemberInfo("me"), *(MemberInfo(name) for name in OTHERS)]
    timeline = Timeline(
        playing=True,
        mbpm=132_512,
        meter=Meter(7, 8),
        loop=Loop(5, 13),
        revision=7,
        epoch=1,
    )
    follower.chain = TimelineChain((timeline,))
    follower.mode = RoomMode(mode="leader", leader=OTHERS[3])
    people = [MemberAccess("me", "host"), *(MemberAccess(name) for name in OTHERS[1:])]
    player.access.told(Access([*people, MemberAccess("drums", "listener", True)], "ask", True))
    player.access.told(AtTheDoor([NASTY, "x" * 64], [NASTY]))
    player.access.told(Invitation(id=1, text=INVITED))
    player.votes.running = Vote(3, OTHERS[3], "tempo 180 over 8 bars", ["me"], ["bass"], 6, 9)
    player.chat.lines, player.chat.known = LINES, True
    player.songs.book, player.songs.known = SongBook(SONGS, LOADED), True
    player.graph.graph, player.graph.known = routed(), True
    player.modules.told(Modules([DELAY], listed()))
    audio = player.audio
    assert audio is not None
    engine = audio.engine
    engine.state = "running"
    text = "JACK client midiPool-audio, 48000 Hz, 128 frames; UDP port 45678 (asked for)"
    engine.ready = AudioReady(text, 48_000, 128, True, 45_678)
    voices = {name: Level(0.9 / (n + 1), 0.5 / (n + 1)) for n, name in enumerate(OTHERS)}
    _fill_boards(player)
    engine.levels = Levels([Level(1.0, 0.4), Level(0.2, 0.1)], Level(0.7, 0.3), voices)
    pans = [Target({"type": "set_strip", "member": other}, "pan") for other in OTHERS]
    learned = {f"cc:1:{number}": pan for number, pan in enumerate(pans)}
    client.live.learn({**learned, "note:10:36": Target({"type": "play"})})
    return client


def listed() -> list[RoomModule]:
    """Programs of the server's, each doing otherwise."""
    return [
        RoomModule("sax", "delay", {"beats": 0.75, "tape": "old"}, "playing"),
        RoomModule("strings", "strings", state="degraded", why=SLOW),
        RoomModule("x" * 64, "delay", {"tape": "x" * 64}, "restarting", "it ended: " * 12, 9_000),
        RoomModule("echo", "delay", state="stopped"),
    ]


def agreeing(player: Player) -> list[Message]:
    """Let the room agree to whatever is asked; what was."""
    asked: list[Message] = []

    def conduct(message: Message, answer: Callable[[Ok | Error | None], None]) -> None:
        asked.append(message)
        answer(Ok(1, 0, 0, 0))

    player.conduct = conduct  # type: ignore[method-assign, assignment]
    return asked


def routed() -> Graph:
    """Some of them hear not all, or otherwise."""
    graph = Graph()
    for name in ("me", *OTHERS):
        graph = graph.entered(name, "module" if name == "sax" else "player")
    for edit in (
        SetGroup(id=1, name="@rhythm", members=("drums", "bass", OTHERS[3])),
        HearOnly(id=1, target="drums", sources=("@click",)),
        LinkNodes(id=1, source="@rhythm", target="keys", gain_db=-6.0, audio_channels=(1,)),
        LinkNodes(id=1, source="keys", target=NASTY, midi_channels=(10,), midi_kinds=("notes",)),
    ):
        graph = edited(graph, edit)
    return graph


def _fill_boards(player: Player) -> None:
    rack = player.effects
    assert rack is not None
    kinds = ("gate", "delay", "eq", "cabinet", "plugin")
    values = {"plugin": {"file": "/home/player/.vst3/A Plug-in With a Long Name.vst3"}}
    board = Board(
        tuple(
            Effect(id=n, kind=kind, bypass=kind == "eq", values=values.get(kind, {}))
            for n, kind in enumerate(kinds, 1)
        )
    )
    rack.boards = Boards({"own": board})
    rack.tuner = 1
    rack.problems = {5: "bypassed: it crashed (-11)"}


def recordings(client: Playing, folder: Path) -> Library:
    """Some, of which one is being made and one is played into the room."""
    names = ("take 1", "x" * 64, "2026-11-28-101500-jam")
    for number, name in enumerate(names):
        made = recorded(folder, name, f"2026-11-28T1{number}:00:00+00:00")
    why = "the disk is nearly full: 199 MB are free below /home/me/.local/share/midipool/recordings"
    write_manifest(made, msgspec.structs.replace(manifest(), state="cut", why=why))
    player, tracks = client.player, played_tracks(manifest())
    plan = TakePlan(song(), from_bar=3, loop=Loop(3, 5))
    plan.follow(TimelineChain((Timeline(playing=True, mbpm=100_000),)), 0)
    member: Any = SimpleNamespace(
        name=f"take {names[0]}", room_us=lambda: 9_000_000, muted=frozenset({0}), plan=plan
    )
    player.takes.take = Take(names[0], manifest(), tracks, member, Mock())
    prepared = Prepared("take 2", folder / "take 2", -1, manifest(), 1)
    assert player.recorder is not None
    player.recorder._current = Current(prepared, 0, player.chain)
    return Library(folder)


def described() -> RoomDescription:
    """What the server says of that room."""
    names = ["me", *OTHERS]
    members = [MemberInfo(name, name != "sax", status(n)) for n, name in enumerate(names)]
    hears = {
        name: [hearing(other, n % 5) for n, other in enumerate(names) if other != name]
        for name in names[:4]
    }
    texts = ("tempo 132.512", "loop 5 to 13", "meter 7/8", "start with a count-in of 2 bars")
    changes = [Change(by=OTHERS[n], text=text, at_us=n) for n, text in enumerate(texts)]
    return RoomDescription(members, hears, changes)


@contextmanager
def in_its_room(client: Playing) -> Iterator[None]:
    """The server's description, and how we hear, without a server."""

    async def said(_: RoomUrl) -> RoomDescription:
        return described()

    heard = [hearing(name, n % 5) for n, name in enumerate(OTHERS)]
    with (
        patch.object(host, "room_as_told", said),
        patch.object(RoomAudio, "hears", heard),
        patch.object(type(client.player), "connected", True),
        patch.object(AudioProcess, "watch", lambda *_: None),
    ):
        yield
