"""Recordings as the page shows them, and what it may do with them. The edge to disk and client."""

import asyncio
import contextlib
import shutil

from midipool.errors import InvalidValue, MidiPoolError, Refused, Unavailable
from midipool_client.page.state import RecordingPart, Takes
from midipool_client.page.take_requests import (
    DeleteTake,
    LoopTake,
    MuteTake,
    PauseTake,
    PlayTake,
    RecordStart,
    RecordStop,
    RenameTake,
    ResumeTake,
    SeekTake,
    StopTake,
    TakeRequest,
)
from midipool_client.page.take_state import PlayedNow, RecordingNow, TakeTrack, TakeView
from midipool_client.playback.opened import Wanted, played_tracks
from midipool_client.playback.player import Take, TakePlayer
from midipool_client.playback.song import song_of
from midipool_client.player import Player
from midipool_client.recording.current import Current
from midipool_client.recording.library import Library, size_of
from midipool_client.recording.manifest import Manifest
from midipool_client.recording.recorder import Recorder

SCAN_S = 2.0


class TakesView:
    """The list is read in a thread, while somebody looks."""

    def __init__(self, library: Library | None = None) -> None:
        self.part = Takes()
        self.problem = ""
        try:
            self.library: Library | None = library or Library()
        except Unavailable as error:
            self.library, self.part = None, Takes(problem=str(error))
        self._quota_gb: float | None = None
        self._again = asyncio.Event()

    async def run(self, seen: asyncio.Event) -> None:
        """Read while `seen` is set, until cancelled."""
        while True:
            await seen.wait()
            self._again.clear()
            if self.library is not None:
                self.part = await asyncio.to_thread(listed, self.library, self._quota_gb)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SCAN_S):
                    await self._again.wait()

    async def ask(self, player: Player | None, request: TakeRequest) -> None:
        """Do it; raises MidiPoolError."""
        match request:
            case RenameTake() | DeleteTake():
                await self._change(player, request)
            case _ if player is None:
                raise Refused("no_room", "there is no room yet: join one")
            case RecordStart() | RecordStop():
                await self._record(player.recorder, request)
            case _:
                await play(player.takes, request)
        self._again.set()

    async def _change(self, player: Player | None, request: RenameTake | DeleteTake) -> None:
        if self.library is None:
            raise Unavailable(self.part.problem)
        take = None if player is None else player.takes.take
        if take is not None and take.name == request.take:
            raise Refused("playing", f"{request.take!r} is being played: stop that first")
        if isinstance(request, RenameTake):
            await asyncio.to_thread(self.library.rename, request.take, request.new)
        else:
            await asyncio.to_thread(self.library.delete, request.take)

    async def _record(self, recorder: Recorder | None, request: RecordStart | RecordStop) -> None:
        if recorder is None:
            raise Unavailable("this client has no audio to record: it runs with --no-audio")
        if isinstance(request, RecordStop):
            await recorder.stop()
            return
        await recorder.start(request.format, request.quota_gb)
        self._quota_gb = request.quota_gb


async def play(takes: TakePlayer, request: TakeRequest) -> None:
    """What is done with the recording that is played; raises MidiPoolError."""
    match request:
        case PlayTake():
            wanted = Wanted(
                request.take,
                request.from_bar,
                request.loop,
                request.at_bar,
                request.mute,
                request.set_tempo,
            )
            await takes.play(wanted)
        case PauseTake():
            await takes.pause()
        case ResumeTake():
            await takes.go_on()
        case SeekTake(bar=bar):
            await takes.seek(bar)
        case LoopTake(loop=loop):
            await takes.repeat(loop)
        case MuteTake(files=files):
            await takes.mute(files)
        case StopTake():
            await takes.stop()


def recording_of(player: Player) -> RecordingPart:
    """What is being recorded and played."""
    recorder, take = player.recorder, player.takes.take
    current = None if recorder is None else recorder.current
    audio = player.audio
    return RecordingPart(
        can_record=audio is not None and audio.engine.ready is not None,
        now=None if current is None else _recorded(current, player.room_us()),
        playing=None if take is None else _played(take),
    )


def _recorded(current: Current, now_us: int | None) -> RecordingNow:
    tracks = current.manifest.tracks
    return RecordingNow(
        name=current.name,
        phase=current.phase(now_us),
        from_us=current.from_us,
        tracks=len(tracks),
        dropped_frames=sum(track.dropped_frames for track in tracks),
    )


def _played(take: Take) -> PlayedNow | None:
    now_us, plan = take.member.room_us(), take.plan
    if now_us is None:
        return None
    return PlayedNow(
        name=take.name,
        member=take.member.name,
        phase=plan.phase(now_us),
        bar=plan.bar(now_us),
        bars=plan.song.bars,
        begins_us=plan.begins_us(now_us),
        loop=plan.loop,
        muted=[take.tracks[number].file for number in sorted(take.member.muted)],
        beside=plan.beside(now_us),
    )


def listed(library: Library, quota_gb: float | None) -> Takes:
    """All recordings, the newest first; reads the disk."""
    takes = [_view(library, name, manifest) for name, manifest in library.all()]
    takes.sort(key=lambda take: (take.started, take.name), reverse=True)
    free = 0
    with contextlib.suppress(OSError):
        there = next(p for p in (library.folder, *library.folder.parents) if p.is_dir())
        free = shutil.disk_usage(there).free
    return Takes(
        takes=takes,
        size_bytes=sum(take.size_bytes for take in takes),
        # The page is told anew for what people see, not for each block.
        free_bytes=round(free, -8),
        quota_gb=quota_gb,
    )


def _view(library: Library, name: str, manifest: Manifest) -> TakeView:
    heard = {track.file for track in played_tracks(manifest)}
    live = manifest.state in ("waiting", "recording")
    return TakeView(
        name=name,
        state=manifest.state,
        why=manifest.why,
        room=manifest.room,
        started=manifest.started,
        seconds=0.0 if live else round(manifest.seconds, 1),
        bars=0 if live else _bars(manifest),
        bpm=manifest.bpm,
        meter=manifest.meter,
        rate=manifest.rate,
        size_bytes=0 if live else size_of(library.folder / name),
        midi=manifest.midi or "",
        tracks=[
            TakeTrack(
                file=track.file,
                name=track.name,
                kind=track.kind,
                seconds=round(track.frames / (manifest.rate or 1), 1),
                dropped_frames=track.dropped_frames,
                missing_s=round(track.missing_frames / (manifest.rate or 1), 1),
                played=track.file in heard,
            )
            for track in ([] if live else manifest.tracks)
        ],
    )


def _bars(manifest: Manifest) -> int:
    try:
        return song_of(manifest).bars
    except (InvalidValue, MidiPoolError):
        return 0
