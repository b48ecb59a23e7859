"""The recording that is being made, as the client knows it."""

import asyncio
from collections.abc import Iterable
from typing import Literal

import msgspec

from midipool.messages import TimedMidi
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import Recorded
from midipool_client.recording.folder import Prepared
from midipool_client.recording.journal import lines_of
from midipool_client.recording.midi_file import PlayedMidi

Phase = Literal["waiting", "recording", "ending"]


class Current:
    """From when it was asked for until it is finished."""

    def __init__(self, prepared: Prepared, restarts: int, chain: TimelineChain) -> None:
        """`restarts` of the audio engine so far."""
        self.name, self.folder, self.lock, self.manifest, self.most_bytes = prepared
        self.restarts = restarts
        self.chain = chain
        """With all that was in force since it began."""
        self.chain_noted = False
        self.from_us: int | None = None
        """Room time of the first bar line; None while it is not known."""
        self.told = False
        """Whether the engine knows of it."""
        self.ending = False
        self.ended = asyncio.Event()
        self._played: list[PlayedMidi] = []

    def phase(self, now_us: int | None) -> Phase:
        """What it does at a room time."""
        if self.ending:
            return "ending"
        begun = self.from_us is not None and now_us is not None and now_us >= self.from_us
        return "recording" if begun else "waiting"

    def note(self, who: str, events: Iterable[TimedMidi]) -> None:
        """What somebody played in MIDI."""
        if self.from_us is not None:
            self._played += [(who, e.time_us - self.from_us, bytes.fromhex(e.data)) for e in events]

    def lines(self) -> bytes:
        """What is new for the journal."""
        if self.from_us is None:
            return b""
        chain = None
        if not self.chain_noted:
            chain, self.chain_noted = self.chain.moved_by(-self.from_us).timelines, True
        played, self._played = self._played, []
        return lines_of(chain, played)

    def describe(self, recorded: Recorded) -> None:
        """The engine says how far it is."""
        from_us = self.from_us or 0
        timeline = self.chain.at(from_us)
        self.manifest = msgspec.structs.replace(
            self.manifest,
            state="recording",
            rate=recorded.rate,
            tracks=recorded.tracks,
            seconds=max((t.frames for t in recorded.tracks), default=0) / (recorded.rate or 1),
            bar=timeline.position_at(from_us).bar,
            bpm=timeline.mbpm_at(from_us) / 1000,
            meter=str(timeline.meter),
        )
