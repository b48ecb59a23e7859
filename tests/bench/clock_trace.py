"""A player without ports that writes down how wrong its room clock is, 50 times a second.

`python -m tests.bench.clock_trace URL NAME SECONDS` prints a JSON list of [seconds since it began
to join, error in µs]. Room time must be this machine's CLOCK_MONOTONIC.
"""

import asyncio
import json
import sys
import time

from midipool_client.engine.messages import Spool
from midipool_client.engine.process import EngineProcess
from midipool_client.engine.sinks import SinkChoice
from midipool_client.player import Player
from midipool_client.playing import play
from midipool_client.ports.output import PortOptions
from midipool_client.room_url import parse_room_url
from midipool_native import host_clock

EVERY_S = 0.02


class NoEngine(EngineProcess):
    """An engine that plays nothing."""

    def submit(self, spool: Spool | None) -> None:
        """Nobody listens."""

    async def run(self) -> None:
        await asyncio.Event().wait()


async def trace(url: str, name: str, seconds: float) -> list[tuple[float, float]]:
    player = Player(parse_room_url(url), name, [PortOptions()])
    player.ports.engine = NoEngine([SinkChoice()], lambda ready: None)
    errors: list[tuple[float, float]] = []
    stopped = asyncio.Event()
    began = time.monotonic()
    playing = asyncio.create_task(play(player, stopped))
    while (passed := time.monotonic() - began) < seconds and not playing.done():
        host_ns, truth_ns = host_clock.now_ns(), time.monotonic_ns()
        map = player.follower.keeper.map
        if map is not None:
            errors.append((round(passed, 3), (map.room_at(host_ns) - truth_ns) / 1000))
        await asyncio.sleep(EVERY_S)
    stopped.set()
    await playing
    return errors


def main() -> None:
    host_clock.set_off_for_tests()
    url, name, seconds = sys.argv[1:4]
    sys.stdout.write(json.dumps(asyncio.run(trace(url, name, float(seconds)))))


if __name__ == "__main__":
    main()
