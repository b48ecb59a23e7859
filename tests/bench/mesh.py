"""Eight players who all hear each other, on one machine: xruns, processor time, what is missing.

JACK knows eight servers at most, so the players share two, as one may have several devices on one
sound card. The same servers run before, for as long, with the same program that plays and listens
and without midiPool. Meanwhile a program that comes before all others watches the machine: an xrun
at a moment when that one was late, too, is the machine's.
"""

import argparse
import contextlib
import json
import statistics
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port
from tests.bench import audio_peers, sound_compare
from tests.bench.machine_watch import MachineWatch
from tests.bench.process_cost import ProcessCost, child_running
from tests.bench.sound_probe import RATE, Plan, Record, SoundProbe, sound
from tests.e2e.waiting import wait_until

PERIOD = 128
SETTLE_S = 15.0
SPARE_S = 1.0
ENGINE = "midipool_client.audio.engine"


@dataclass(frozen=True)
class Member:
    """One of the players."""

    name: str
    jack: JackServer
    client: Background

    def port(self, name: str) -> str:
        return f"mp-{self.name}-audio:{name}"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=30.0, help="of each of the two parts")
    parser.add_argument("--players", type=int, default=8)
    parser.add_argument("--servers", type=int, default=2, help="of JACK, that the players share")
    parser.add_argument("--profile", default="jam", choices=("lan", "jam", "safe"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        jacks = [stack.enter_context(JackServer(period=PERIOD)) for _ in range(options.servers)]
        for jack in jacks:
            jack.wait_ready()
        watch = stack.enter_context(MachineWatch())
        alone = _play(jacks, [], Path(made), options.seconds)
        members, url = _gather(stack, jacks, Path(made), options)
        with contextlib.ExitStack() as measured:
            costs = {
                member.name: measured.enter_context(ProcessCost(_engine(member)))
                for member in members
            }
            others = [
                measured.enter_context(ProcessCost(member.client.process.pid)) for member in members
            ]
            records = _play(jacks, members, Path(made), options.seconds)
        heard, stalls = _hearings(url), watch.end()
    return {
        "seconds": options.seconds,
        "players": options.players,
        "jack_servers": options.servers,
        "profile": options.profile,
        "period_frames": PERIOD,
        "xruns_without_midipool": [len(record.xruns_ns) for record in alone],
        "xruns_with_midipool": [len(record.xruns_ns) for record in records],
        "of_these_while_the_machine_went_on": [
            [len(stalls.others(record.xruns_ns.tolist())) for record in part]
            for part in (alone, records)
        ],
        "machine_stood_still": stalls.count,
        "missing": [
            _missing(record, f"noise{(number - 1) % len(jacks)}", options.seconds)
            for number, record in enumerate(records)
        ],
        "audio_engine_cpu_percent": [cost.cpu_percent for cost in costs.values()],
        "audio_engine_resident_mb": [cost.resident_mb for cost in costs.values()],
        "client_cpu_percent": [cost.cpu_percent for cost in others],
        "hearings": len(heard),
        "reported_residual_loss": round(statistics.fmean(h["residual_loss"] for h in heard), 6),
        "reported_latency_ms": sorted(round(h["latency_ms"], 1) for h in heard),
        "reported_paths": sorted({h["path"] for h in heard}),
    }


def _gather(
    stack: contextlib.ExitStack, jacks: list[JackServer], made: Path, options: argparse.Namespace
) -> tuple[list[Member], str]:
    port = free_port()
    server = stack.enter_context(Background.python("midipool_server", "--port", str(port)))
    server.wait_for_output("midipool-server: ws://")
    members = []
    for number in range(options.players):
        name, jack = f"p{number}", jacks[number % len(jacks)]
        folder = str(made / name)
        own = ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
        words = ["join", f"ws://127.0.0.1:{port}/mesh", "--name", name]
        words += ["--device-name", f"mp-{name}", "--profile", options.profile]
        env = {**jack.env, **dict.fromkeys(own, folder)}
        client = stack.enter_context(Background.python("midipool_client", *words, env=env))
        members.append(Member(name, jack, client))
    url = f"http://127.0.0.1:{port}/api/rooms/mesh"
    pairs = options.players * (options.players - 1)
    wait_until(lambda: len(_hearings(url)) == pairs, 60)
    return members, url


def _play(
    jacks: list[JackServer], members: list[Member], made: Path, seconds: float
) -> list[Record]:
    """One sound for all players of each JACK server; one of them listens to one of elsewhere."""
    with contextlib.ExitStack() as stack:
        probes = []
        for number, jack in enumerate(jacks):
            own = [member for member in members if member.jack is jack]
            other = next((m for m in members if m.jack is jacks[number - 1]), None)
            sinks = [member.port("audio_send_1") for member in own] or ["system:playback_1"]
            hears = (own[0].port(f"from_{other.name}_1"),) if own and other else ()
            for port in (*sinks, *hears):
                audio_peers.wait_for_port(jack, port)
            plays = tuple((f"noise{number}", sink) for sink in sinks)
            file = str(made / f"{number}.record")
            plan = Plan("probe", SETTLE_S + seconds, file, plays, hears)
            probes.append(stack.enter_context(SoundProbe(jack.env, plan)))
        time.sleep(SETTLE_S + seconds + SPARE_S)  # records end while all play
        return [probe.end() for probe in probes]


def _missing(record: Record, name: str, seconds: float) -> float:
    """Share of what one player's port gave of another that is not what that one played."""
    heard = record.heard[-round(seconds * RATE) :, 0]
    found = sound_compare.lags(heard, sound(name))
    return round(float(sound_compare.damaged(heard, sound(name), found).mean()), 6)


def _engine(member: Member) -> int:
    return child_running(member.client.process.pid, ENGINE)


def _hearings(url: str) -> list[dict[str, Any]]:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        heard = json.load(answer).get("hears", {}).values()
        return [h for of in heard for h in of if h["latency_ms"] is not None]
    return []


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    shares = result["audio_engine_cpu_percent"]
    values = {"audio engine": {f"p{number}": share for number, share in enumerate(shares)}}
    plots.groups(values, "% of a core, seven remote stereo streams each", path)
