"""What the demo's players play: a tone on each beat to the left, a click to the right."""

import contextlib
import shutil
from collections.abc import Iterator

from midipool_demo import jack_look
from midipool_demo.background import Background
from midipool_demo.stage import Player

TONES_HZ = (440, 660, 550, 880)
CLICKS_HZ = (2_000, 3_000, 2_500, 4_000)
BPM = 120
SEND = "midiPool-audio:audio_send_{}"


@contextlib.contextmanager
def playing(players: list[Player]) -> Iterator[None]:
    """Let JACK's metronome play into each player's audio ports, each at other pitches.

    Nothing is played where there is no metronome, or no audio ports.
    """
    with contextlib.ExitStack() as stack:
        if shutil.which("jack_metro") is not None:
            for number, player in enumerate(players):
                _play(stack, player, "tone", TONES_HZ[number % 4], 300, SEND.format(1))
                _play(stack, player, "click", CLICKS_HZ[number % 4], 5, SEND.format(2))
        yield


def _play(
    stack: contextlib.ExitStack, player: Player, name: str, hz: int, ms: int, to: str
) -> None:
    words = ["--name", name, "--frequency", str(hz), "--duration", str(ms), "--bpm", str(BPM)]
    command = ["jack_metro", *words, "--amplitude", "0.4"]
    stack.enter_context(Background(command, player.jack.env))
    stack.enter_context(jack_look.connecting(player.jack.env, f"{name}:{BPM}_bpm", to))
