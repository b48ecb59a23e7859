"""`./run demo`: two players locked to the bar, live in the terminal, or unattended."""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from midipool.errors import MidiPoolError
from midipool.messages import Continue, Locate, SetTempo, Start, Stop, TransportCommand
from midipool.meter import Position
from midipool_client.remote import send_command
from midipool_client.room_url import parse_room_url
from midipool_demo import report, sound
from midipool_demo.background import end_in_order_when_terminated
from midipool_demo.live import Reading, read
from midipool_demo.show import render
from midipool_demo.stage import Stage

REFRESH_S = 0.25


class Demo:
    """Keeps the newest reading, and turns keys into commands."""

    def __init__(self, stage: Stage, started: float) -> None:
        self.stage = stage
        self.reading: Reading | None = None
        self.note = f"up in {time.monotonic() - started:.1f} s"
        self.stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def conduct(self, command: TransportCommand) -> None:
        """Send a command; what is refused is shown."""
        try:
            await send_command(parse_room_url(self.stage.url), command)
            self.note = ""
        except MidiPoolError as error:
            self.note = str(error)

    def key(self, key: str) -> None:
        """React to a key."""
        if key in ("q", "\x03"):
            self.stopped.set()
            return
        command = self._command(key)
        if command is not None:
            task = asyncio.create_task(self.conduct(command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _command(self, key: str) -> TransportCommand | None:
        room: dict[str, Any] = self.reading.room if self.reading else {}
        bpm, playing = room.get("bpm", 120.0), room.get("playing", False)
        commands: dict[str, TransportCommand] = {
            " ": Stop(id=1) if playing else Start(id=1),
            "c": Continue(id=1),
            "+": SetTempo(id=1, bpm=min(bpm + 1, 999.0)),
            "-": SetTempo(id=1, bpm=max(bpm - 1, 20.0)),
            "r": SetTempo(id=1, bpm=140.0, ramp_bars=4),
            "l": Locate(id=1, position=Position(17)),
        }
        return commands.get(key)

    async def run(self, seconds: float | None, draw: Callable[[], None]) -> None:
        """Measure and draw until stopped."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.stopped.is_set() and (end is None or time.monotonic() < end):
            with contextlib.suppress(OSError):
                self.reading = await asyncio.to_thread(read, self.stage)
            draw()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self.stopped.wait()


@contextlib.contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Call `on_key` for each key that is pressed, if there is a keyboard."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    loop = asyncio.get_running_loop()
    tty.setcbreak(sys.stdin)
    loop.add_reader(sys.stdin, lambda: on_key(sys.stdin.read(1)))
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


async def perform(options: argparse.Namespace, stage: Stage, started: float) -> Demo:
    """Start the transport and show it."""
    demo = Demo(stage, started)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, demo.stopped.set)
    await demo.conduct(SetTempo(id=1, bpm=options.bpm))
    await demo.conduct(Start(id=2))
    console = Console()
    if not console.is_terminal:
        for name, where in stage.pages().items():
            print(f"page of {name}: {where}", file=sys.stderr)
        await demo.run(options.seconds, lambda: None)
        return demo
    with Live(console=console, auto_refresh=False) as live, keys(demo.key):
        await demo.run(
            options.seconds,
            lambda: live.update(
                render(demo.reading, stage.url, demo.note, stage.pages()), refresh=True
            ),
        )
    return demo


def save_picture(demo: Demo, path: Path) -> None:
    """Write the table as it was last drawn."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=112, file=nowhere, force_terminal=True)
        console.print(render(demo.reading, "ws://127.0.0.1:8765/demo", ""))
        svg = console.export_svg(title="./run demo")
    # A picture that loads nothing from elsewhere.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--bpm", type=float, default=120.0)
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    parser.add_argument("--picture", type=Path, help="write the last table, as SVG")
    parser.add_argument("--report", type=Path, help="write what was measured, as JSON")
    options = parser.parse_args()
    end_in_order_when_terminated()
    started = time.monotonic()
    try:
        live = options.report is None
        with (
            Stage(("drums", "bass"), live=live, audio=()) as stage,
            sound.playing(stage.players),
        ):
            up_s = time.monotonic() - started
            demo = asyncio.run(perform(options, stage, started))
            if options.picture is not None:
                save_picture(demo, options.picture)
            if options.report is not None:
                options.report.write_text(json.dumps(report.make(stage, up_s), indent=2) + "\n")
            elif not sys.stdout.isatty() and demo.reading is not None:
                print(json.dumps(asdict(demo.reading), indent=2))
    except (MidiPoolError, RuntimeError, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
