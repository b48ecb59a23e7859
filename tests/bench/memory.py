"""Memory, open files and threads of all processes, over a time, while two players play.

They hear each other's noise, the song runs, and a third one joins and leaves every minute.
"""

import argparse
import contextlib
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from tests.bench.process_cost import child_running
from tests.bench.sound_probe import Plan, SoundProbe
from tests.e2e.waiting import wait_until

LOOK_S = 5.0
GUEST_S = 30.0
WARM_SHARE = 1 / 3
"""What is filled in the beginning does not count."""
ENGINES = {"audio": "midipool_client.audio.engine", "MIDI": "midipool_client.engine"}
Looks = dict[str, list[tuple[float, int, int, int]]]
"""By process: (seconds, KiB resident, open files, threads)."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--period", type=int, default=128, help="of JACK, in frames")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as made,
        Stage(("a", "b"), home=Path(made), period=options.period, audio=()) as stage,
        contextlib.ExitStack() as stack,
    ):
        wait_until(lambda: all(len(stage.status()["hears"].get(n, ())) == 1 for n in "ab"), 30)
        for number, player in enumerate(stage.players):
            port = f"midiPool-audio:audio_send_{number + 1}"
            file = str(Path(made) / f"{number}.record")
            plan = Plan("probe", 1.0, file, ((f"noise{number}", port),))
            stack.enter_context(SoundProbe(player.jack.env, plan))
        stage.conduct("start")
        looks, guests = _watch(stage, options.minutes * 60)
    seconds = options.minutes * 60
    processes = {name: _summary(of, seconds) for name, of in looks.items()}
    return {"minutes": options.minutes, "guests": guests, "processes": processes}


def _watch(stage: Stage, seconds: float) -> tuple[Looks, int]:
    pids = _pids(stage)
    looks: Looks = {name: [] for name in pids}
    began_s = time.monotonic()
    guests, guest = 0, None
    while (now_s := time.monotonic() - began_s) < seconds:
        wanted = int(now_s / GUEST_S) % 2 == 1
        if wanted and guest is None:
            guest, guests = _join(stage, stage.players[0]), guests + 1
        elif not wanted and guest is not None:
            _leave(guest)
            guest = None
        for name, pid in pids.items():
            looks[name].append((now_s, *_look(pid)))
        time.sleep(LOOK_S)
    if guest is not None:
        _leave(guest)
    return looks, guests


def _pids(stage: Stage) -> dict[str, int]:
    assert stage.server is not None
    pids = {"server": stage.server.process.pid}
    for player in stage.players:
        pids[f"client of {player.name}"] = player.client.process.pid
        for kind, module in ENGINES.items():
            pids[f"{kind} engine of {player.name}"] = child_running(
                player.client.process.pid, module
            )
    return pids


def _join(stage: Stage, host: Player) -> Background:
    words = ("join", stage.url, "--name", "guest", "--device-name", "guest")
    return Background.python("midipool_client", *words, env=host.env)


def _leave(guest: Background) -> None:
    guest.stop(signal.SIGINT)
    guest.__exit__(None, None, None)


def _look(pid: int) -> tuple[int, int, int]:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), files, int(status["Threads"])


def _summary(looks: list[tuple[float, int, int, int]], seconds: float) -> dict[str, Any]:
    seen = np.array(looks)
    late = seen[seen[:, 0] >= WARM_SHARE * seconds]
    slope = np.polyfit(late[:, 0] / 3600, late[:, 1], 1)[0] if len(late) > 1 else 0.0
    return {
        "kib_an_hour": round(float(slope), 1),
        "resident_mb": {
            "first": round(seen[0, 1] / 1024, 2),
            "after_the_first_third": round(late[0, 1] / 1024, 2),
            "last": round(seen[-1, 1] / 1024, 2),
        },
        "files": sorted({int(number) for number in late[:, 2]}),
        "threads": sorted({int(number) for number in late[:, 3]}),
        "over_time": (seen[:, 0].round(1).tolist(), (seen[:, 1] - seen[0, 1]).tolist()),
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: of.pop("over_time") for name, of in result["processes"].items()}
    plots.over_time(series, "KiB resident more than at first", path)
