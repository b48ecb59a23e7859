"""A sequencer on JACK that writes MIDI clock by its own tempo, as a DAW does.

The program, `python -m tests.e2e.leading_daw NAME`, has the output `NAME:out` and the input
`NAME:in`. It obeys words on standard input, one command a line:

    start | stop | continue | clock | rest | tempo BPM | position SIXTEENTHS | raw HEX...
    send-to PORT | listen-to PORT

`clock` begins to tick without saying start, `rest` ends it without saying stop. Its bytes leave at
the exact frame, through the same spooler that the engine has. What it hears it prints, with the
host time.
"""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO

from midipool.clock_map import ClockMap
from midipool_demo.background import child_environment
from midipool_native import host_clock
from midipool_native.jack import JackSink
from midipool_native.spooler import Spooler
from tests.e2e.waiting import wait_until

AHEAD_US = 200_000
SAFE_US = 20_000
STEP_S = 0.05
PATIENCE_NS = 20_000_000
ANSWER_S = 10.0


@dataclass
class Sequencer:
    """Ticks at a tempo, in host µs."""

    spooler: Spooler = field(default_factory=Spooler)
    tick_us: float = 60e6 / (120 * 24)
    running: bool = False
    next_us: float = 0.0
    planned: list[float] = field(default_factory=list)

    def obey(self, words: list[str]) -> None:
        now_us = host_clock.now_ns() / 1000
        match words:
            case ["start" | "continue" as how]:
                self._tick_from(now_us)
                byte = b"\xfa" if how == "start" else b"\xfb"
                self.spooler.submit([(round(self.next_us - 1_000), byte)])
            case ["clock"]:
                self._tick_from(now_us)
            case ["stop" | "rest" as how]:
                self.running = False
                end_us = round(now_us + SAFE_US)
                said = [(end_us, b"\xfc")] if how == "stop" else []
                self.spooler.submit(said, discard_from_us=end_us)
            case ["tempo", bpm]:
                self._forget_from(now_us + SAFE_US)
                self.tick_us = 60e6 / (float(bpm) * 24)
            case ["position", sixteenths]:
                where = int(sixteenths)
                data = bytes((0xF2, where & 0x7F, where >> 7))
                self.spooler.submit([(round(now_us + SAFE_US), data)])
            case ["raw", *events]:
                at_us = round(now_us + SAFE_US)
                self.spooler.submit([(at_us, bytes.fromhex(data)) for data in events])
            case _:
                raise SystemExit(f"what is {words}?")
        self.fill()

    def _tick_from(self, now_us: float) -> None:
        self.running = True
        self.planned.clear()
        self.next_us = now_us + SAFE_US + 1_000

    def _forget_from(self, from_us: float) -> None:
        """Ticks after the next one come at another distance."""
        while self.planned and self.planned[-1] >= from_us:
            self.next_us = self.planned.pop()
        self.spooler.submit(discard_from_us=round(from_us))

    def fill(self) -> None:
        until_us = host_clock.now_ns() / 1000 + AHEAD_US
        events = []
        while self.running and self.next_us < until_us:
            events.append((round(self.next_us), b"\xf8"))
            self.planned.append(self.next_us)
            self.next_us += self.tick_us
        # What is planned may be taken back, however fast it ticks.
        del self.planned[:-5000]
        self.spooler.submit(events)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(name: str) -> None:
    sequencer, lock = Sequencer(), threading.Lock()
    sequencer.spooler.submit(clock_map=ClockMap(0, 0))
    sink = JackSink(sequencer.spooler, name, "out", "in")
    ended = threading.Event()
    saying = threading.Lock()

    def keep_filled() -> None:
        while not ended.wait(STEP_S):
            with lock:
                sequencer.fill()

    def keep_heard() -> None:
        while not ended.is_set():
            for ns, data in sink.heard(PATIENCE_NS)[0]:
                with saying:
                    say(f"heard {ns} {data.hex()}")

    threads = [threading.Thread(target=keep_filled), threading.Thread(target=keep_heard)]
    for thread in threads:
        thread.start()
    say("ready")
    for line in sys.stdin:
        answer = "obeyed"
        match words := line.split():
            case ["send-to" | "listen-to" as way, port]:
                answer = "obeyed" if sink.connect(way == "send-to", port) else f"no port {port}"
            case _:
                with lock:
                    sequencer.obey(words)
        with saying:
            say(answer)
    ended.set()
    for thread in threads:
        thread.join()
    sink.close()


class LeadingDaw:
    """Runs the program on a JACK server; used as a context manager.

    With `device` it is connected with that client's ports, both ways.
    """

    def __init__(
        self, env: Mapping[str, str], name: str = "daw", device: str | None = None
    ) -> None:
        self.out, self.inp = f"{name}:out", f"{name}:in"
        self.heard: list[tuple[int, bytes]] = []
        """(host ns, message) of all that came, in order."""
        self._device = device
        self._answers: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.leading_daw", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            match line.split():
                case ["heard", ns, data]:
                    self.heard.append((int(ns), bytes.fromhex(data)))
                case _:
                    self._answers.put(line.strip())

    def __call__(self, *words: object) -> None:
        """Obey, and return when that is on its way."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        self._expect("obeyed")

    def _expect(self, wanted: str) -> None:
        answer = self._answers.get(timeout=ANSWER_S)
        assert answer == wanted, answer

    @property
    def played(self) -> list[bytes]:
        """What came but for clock and transport."""
        return [data for _, data in self.heard if data[0] <= 0xF0]

    def wait_heard(self, done: Callable[["LeadingDaw"], bool], timeout_s: float = 10.0) -> None:
        """Wait until `done(self)` holds."""
        wait_until(lambda: done(self), timeout_s)

    def __enter__(self) -> "LeadingDaw":
        try:
            self._expect("ready")
            if self._device is not None:
                self("send-to", f"{self._device}:midi_send")
                self("listen-to", f"{self._device}:midi_receive")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join()
        self._process.stdout.close()


def connect(env: Mapping[str, str], source: str, target: str) -> None:
    """Connect two ports on a JACK server."""
    code = (
        "import sys, jack; c = jack.Client('patch', no_start_server=True);"
        "c.connect(sys.argv[1], sys.argv[2])"
    )
    subprocess.run(
        [sys.executable, "-c", code, source, target], env={**os.environ, **env}, check=True
    )


if __name__ == "__main__":
    main(sys.argv[1])
