"""The MIDI file of a recording: tempo map, meters, markers, and what was played in MIDI."""

import io
from collections.abc import Iterable

import mido

from midipool_client.recording.tempo_map import TICKS_A_BEAT, Grid, tick_of

PlayedMidi = tuple[str, int, bytes]
"""Who, µs since the first bar line, one whole message."""


def midi_file(name: str, grid: Grid, played: Iterable[PlayedMidi]) -> bytes:
    """A Standard MIDI File, format 1: the conductor's track, then one of each player."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_A_BEAT)
    timed = [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in grid.tempos()]
    for beats, meter in grid.meters:
        signature = mido.MetaMessage(
            "time_signature", numerator=meter.numerator, denominator=meter.denominator
        )
        timed.append((tick_of(beats), signature))
    timed += [(tick_of(at), mido.MetaMessage("marker", text=text)) for at, text in grid.markers]
    file.tracks.append(_track(name, timed))
    players: dict[str, list[tuple[int, mido.Message]]] = {}
    for who, time_us, data in played:
        if time_us >= 0:
            message = mido.Message.from_bytes(data)
            players.setdefault(who, []).append((tick_of(grid.beats_at(time_us)), message))
    file.tracks.extend(_track(who, players[who]) for who in sorted(players))
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def _track(name: str, timed: list[tuple[int, mido.Message]]) -> mido.MidiTrack:
    track, at = mido.MidiTrack(), 0
    # The format knows Latin-1 alone.
    safe = name.encode("latin-1", "replace").decode("latin-1")
    track.append(mido.MetaMessage("track_name", name=safe))
    for tick, message in sorted(timed, key=lambda pair: pair[0]):
        track.append(message.copy(time=max(tick - at, 0)))
        at = max(tick, at)
    return track
