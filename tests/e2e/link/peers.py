"""Other programs in a Link session: Ableton's LinkHut, and one made of the library itself."""

import os
import pty
import re
import shutil
import subprocess
import threading
from dataclasses import dataclass
from typing import Protocol

import link
import pytest

from midipool_demo.background import child_environment
from midipool_demo.jack_server import JackServer
from tests.netlab import Host
from tests.netlab.namespaces import entered

from .room import for_a_while, until

QUANTUM = 4.0
LINE = re.compile(
    r"(?P<enabled>yes|no) +\| (?P<peers>\d+) +\| \d+ +\| (?P<sync>yes|no) +\[(?P<state>\w+)\]"
    r" +\| (?P<bpm>[\d.]+) +\| (?P<beats>-?[\d.]+) +\|"
)


@dataclass(frozen=True)
class Shown:
    """What an app shows its user."""

    peers: int
    bpm: float
    playing: bool


class OtherApp(Protocol):
    """What Link's test plan does with LinkHut."""

    async def enable(self) -> None: ...

    async def set_tempo(self, bpm: float) -> None: ...

    async def play(self, playing: bool) -> None: ...

    def shown(self) -> Shown: ...

    def close(self) -> None: ...


async def founded() -> None:
    """Wait until a session is older than those that are to join it.

    Link has the older session win, and either of two that are less than half a second apart. Who
    was left alone founds a new one.
    """
    async for _ in for_a_while(0.7):
        pass


class LibraryApp:
    """The library used as an app uses it."""

    def __init__(self, host: Host) -> None:
        with entered(host.name):
            self._link = link.Link(120.0)
        self._link.startStopSyncEnabled = True

    async def enable(self) -> None:
        self._link.enabled = True
        await founded()

    async def set_tempo(self, bpm: float) -> None:
        self.tempo(bpm)

    def tempo(self, bpm: float) -> None:
        state = self._link.captureAppSessionState()
        state.setTempo(bpm, self._link.clock().micros())
        self._link.commitAppSessionState(state)

    async def play(self, playing: bool) -> None:
        state = self._link.captureAppSessionState()
        state.setIsPlaying(playing, self._link.clock().micros())
        state.requestBeatAtStartPlayingTime(0, QUANTUM)
        self._link.commitAppSessionState(state)

    def shown(self) -> Shown:
        state = self._link.captureAppSessionState()
        return Shown(self._link.numPeers(), state.tempo(), state.isPlaying())

    def close(self) -> None:
        self._link.enabled = False


class LinkHut:
    """Ableton's own program, on a terminal and a JACK server."""

    def __init__(self, host: Host, jack: JackServer) -> None:
        self._terminal, its_end = pty.openpty()
        self._process: subprocess.Popen[bytes] = host.popen(
            ["LinkHut"],
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            env=child_environment(jack.env),
        )
        os.close(its_end)
        self._last: re.Match[str] | None = None
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    async def enable(self) -> None:
        await until(lambda: self._last is not None)
        self._press("a")
        await until(lambda: self._show()["enabled"] == "yes")
        self._press("s")
        await until(lambda: self._show()["sync"] == "yes")
        await founded()

    async def set_tempo(self, bpm: float) -> None:
        """By its keys, which move the tempo by 1 BPM; it misses some."""
        async for _ in for_a_while(20, every_s=0.05):
            away = bpm - self.shown().bpm
            if abs(away) < 0.5:
                return
            self._press("e" if away > 0 else "w")

    async def play(self, playing: bool) -> None:
        await until(lambda: self._last is not None)
        if self.shown().playing is not playing:
            self._press(" ")
            await until(lambda: self.shown().playing is playing)

    def shown(self) -> Shown:
        show = self._show()
        return Shown(int(show["peers"]), float(show["bpm"]), show["state"] == "playing")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        os.close(self._terminal)

    def _press(self, key: str) -> None:
        os.write(self._terminal, key.encode())

    def _show(self) -> re.Match[str]:
        assert self._last is not None
        return self._last

    def _read(self) -> None:
        text = ""
        while True:
            try:
                text += os.read(self._terminal, 4096).decode(errors="replace")
            except OSError:  # the program is gone
                return
            *lines, text = re.split(r"[\r\n]+", text)
            for line in lines:
                self._last = LINE.match(line) or self._last


def needs_link_hut() -> None:
    if shutil.which("LinkHut") is None:
        pytest.skip("LinkHut is not installed: apt-get install ableton-link-utils")
