"""What a recording's MIDI file is made of, line by line while it is recorded; so it survives.

Times are µs since the first bar line.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from midipool.timeline import Timeline
from midipool_client.recording.manifest import Manifest, write_whole
from midipool_client.recording.midi_file import PlayedMidi, midi_file
from midipool_client.recording.tempo_map import grid_of

JOURNAL = ".journal.jsonl"
MIDI = "midi.mid"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the two."""

    chain: list[Timeline] | None = None
    """All timelines so far and to come, in place of those before."""
    played: tuple[str, int, str] | None = None
    """Who, when, the message in hex."""


def lines_of(chain: Iterable[Timeline] | None, played: Iterable[PlayedMidi]) -> bytes:
    """What is to be added."""
    lines = [] if chain is None else [Line(chain=list(chain))]
    lines += [Line(played=(who, time_us, data.hex())) for who, time_us, data in played]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def read_journal(data: bytes) -> tuple[tuple[Timeline, ...], list[PlayedMidi]]:
    """What was noted; a line that is not whole was being written when all ended."""
    chain: tuple[Timeline, ...] = ()
    played: list[PlayedMidi] = []
    for text in data.splitlines():
        try:
            line = msgspec.json.decode(text, type=Line)
            if line.chain is not None:
                chain = tuple(line.chain)
            if line.played is not None:
                who, time_us, message = line.played
                played.append((who, time_us, bytes.fromhex(message)))
        except (msgspec.MsgspecError, ValueError):
            continue
    return chain, played


def finish_midi(folder: Path, manifest: Manifest) -> Manifest:
    """Make the MIDI file of the journal, and name it in the manifest; raises OSError."""
    path = folder / JOURNAL
    if not path.exists():
        return manifest
    chain, played = read_journal(path.read_bytes())
    end_us = round(manifest.seconds * 1e6)
    if not chain or end_us <= 0:
        return manifest
    write_whole(folder / MIDI, midi_file(manifest.room, grid_of(chain, end_us), played))
    return msgspec.structs.replace(manifest, midi=MIDI, timelines=list(chain))
