"""What is recorded: each session starts a program, plays it, and ends it again.

The pauses are part of what is recorded. README.md says what each recording holds.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from midipool.errors import Unavailable
from midipool_demo.background import Background
from tests.recordings.conductor import Conductor
from tests.recordings.ear import Ear
from tests.recordings.load import FOLDER, Recording

Session = Callable[[Path], Mapping[str, Recording]]
ANSWER_S = 60.0
LOOK_AGAIN_S = 0.05
SCREEN = ":87"


def ardour(home: Path) -> Mapping[str, Recording]:
    """Ardour without its window, which ardour.lua plays: its three sync ports, and all in one."""
    options = {"send-midi-clock": 1, "send-mtc": 1, "send-mmc": 1, "mmc-send-device-id": 127}
    lines = "".join(f'<Option name="{name}" value="{value}"/>' for name, value in options.items())
    config = home / ".config" / "ardour7" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(f"<Ardour><Config>{lines}</Config></Ardour>")
    go = home / "go"
    command = ["ardour7-lua", str(FOLDER / "ardour.lua"), str(home / "session"), str(go)]
    ports = {"ardour_clock": "Clock", "ardour_mmc": "MMC", "ardour_mtc": "MTC"}
    with Ear(*ports, "ardour_all") as ear, Background(command, {"HOME": str(home)}) as program:
        program.wait_for_output("ready", ANSWER_S)
        for name, port in ports.items():
            ear.connect(name, f"{port} out")
            ear.connect("ardour_all", f"{port} out")
        ear.begin()
        go.touch()
        program.wait_for_output("done", ANSWER_S)
        return ear.recordings()


def jack_midi_clock(home: Path) -> Mapping[str, Recording]:
    """It follows JACK's transport, of which a conductor says bar, beat and tempo."""
    name = "jack_midi_clock"
    with Ear(name) as ear, Conductor() as conductor, Background([name], None):
        ear.connect(name, "mclk_out")
        ear.begin()
        conductor.start()
        sleep(4)
        conductor.tempo(150)
        sleep(3)
        conductor.stop()
        sleep(1)
        conductor.tempo(120)
        conductor.locate(5)
        sleep(1)
        conductor.start()
        sleep(5)
        conductor.locate(9)
        sleep(4)
        conductor.stop()
        sleep(1)
        return ear.recordings()


def jack_midi_clock_alone(home: Path) -> Mapping[str, Recording]:
    """The same without a conductor who says where the song is."""
    return {"jack_midi_clock_alone": _alone("-b", "133.3")}


def jack_midi_clock_jitter(home: Path) -> Mapping[str, Recording]:
    """The same, with the jitter that it can add to its clocks."""
    return {"jack_midi_clock_jitter": _alone("-b", "120", "-J", "15")}


def _alone(*options: str) -> Recording:
    command = ["jack_midi_clock", *options]
    with Ear("in") as ear, Conductor(timebase=False) as conductor, Background(command, None):
        ear.connect("in", "mclk_out")
        ear.begin()
        for _ in range(2):
            conductor.start()
            sleep(4)
            conductor.stop()
            sleep(1)
        conductor.locate(1)
        sleep(1)
        conductor.start()
        sleep(4)
        conductor.stop()
        sleep(1)
        return ear.recordings()["in"]


def giada(home: Path) -> Mapping[str, Recording]:
    """Giada, played by clicks on its window; its MIDI comes through RtMidi."""
    config = home / ".giada" / "giada.conf"
    config.parent.mkdir()
    config.write_text(json.dumps(GIADA_CONFIG))
    # Giada connects with the first MIDI input that is there, which is the ear's.
    with _screen(home) as env, Ear("giada") as ear, Background(["giada"], env):
        _xdotool(env, "search", "--sync", "--onlyvisible", "--name", "Giada")
        ear.wait_connected("giada")
        sleep(1)
        ear.begin()
        for pause_s in (3, 1, 3):
            _click(env, GIADA_PLAY)
            sleep(pause_s)
        _click(env, GIADA_REWIND)
        sleep(2)
        _click(env, GIADA_PLAY)
        sleep(1)
        return ear.recordings()


GIADA_PLAY = (342, 248)
GIADA_REWIND = (314, 248)
GIADA_CONFIG = {
    "header": "GIADACFG",
    "sound_system": 1,  # JACK
    "channels_out_count": 2,
    "samplerate": 48000,
    "buffer_size": 256,
    "midi_system": 3,  # JACK
    "midi_port_out": 0,
    "midi_port_in": -1,
    "midi_sync": 1,  # MIDI clock, as master
}


def muse(home: Path) -> Mapping[str, Recording]:
    """MusE, set up by clicks on its window; it follows JACK's transport and leads its tempo."""
    command = ["muse", "-j", "-J", "-p", "-S", "-N", "-I", "-2", "-C"]
    with (
        _screen(home) as env,
        Ear("muse") as ear,
        Conductor(timebase=False) as conductor,
        Background(command, env),
    ):
        _xdotool(env, "search", "--sync", "--onlyvisible", "--name", "MusE")
        sleep(5)
        for place in MUSE_SET_UP:
            _click(env, place)
            sleep(1.5)
        ear.wait_connected("muse")  # MusE does it by itself
        sleep(1)
        ear.begin()
        conductor.start()
        sleep(4)
        conductor.stop()
        sleep(1)
        conductor.start()
        sleep(2)
        conductor.stop()
        sleep(1)
        conductor.locate(5)
        sleep(1)
        conductor.start()
        sleep(3)
        conductor.locate(9)
        sleep(3)
        conductor.stop()
        sleep(1)
        conductor.locate(1)
        sleep(1)
        conductor.start()
        sleep(2)
        conductor.stop()
        sleep(1)
        return ear.recordings()


# On a screen without a window manager everything is always at the same place.
MUSE_SET_UP = (
    (777, 493),  # yes, initialize the instrument of port 1
    (352, 56),  # Settings
    (425, 219),  # Midi Sync
    (1034, 293),  # clock out
    (1106, 293),  # real-time messages out
    (1061, 573),  # to the right
    (998, 293),  # MMC out
    (1016, 697),  # OK
)


@contextmanager
def _screen(home: Path) -> Iterator[dict[str, str]]:
    """A screen to show a program on, and the environment in which it does."""
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DISPLAY": SCREEN}
    with Background(["Xvfb", SCREEN, "-screen", "0", "1400x900x24", "-nolisten", "tcp"]):
        _wait_for_screen(env)
        yield env


def _wait_for_screen(env: Mapping[str, str]) -> None:
    give_up = time.monotonic() + ANSWER_S
    look = ["xdotool", "getmouselocation"]
    while subprocess.run(look, env={**os.environ, **env}, capture_output=True).returncode:
        if time.monotonic() > give_up:
            raise Unavailable("no screen to show the program on: apt-get install xvfb xdotool")
        sleep(LOOK_AGAIN_S)


def _xdotool(env: Mapping[str, str], *words: str) -> None:
    command = ["xdotool", *words]
    subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, timeout=ANSWER_S)


def _click(env: Mapping[str, str], place: tuple[int, int]) -> None:
    x, y = place
    _xdotool(env, "mousemove", str(x), str(y), "click", "1")


SESSIONS: dict[str, Session] = {
    session.__name__: session
    for session in (
        ardour,
        jack_midi_clock,
        jack_midi_clock_alone,
        jack_midi_clock_jitter,
        giada,
        muse,
    )
}
