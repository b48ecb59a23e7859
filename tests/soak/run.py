"""A soak: the plan is carried out, what is seen is judged, and all of it ends with a report."""

import contextlib
import os
import queue
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midipool.errors import MidiPoolError
from midipool.messages import (
    AddSong,
    Continue,
    Error,
    HearOnly,
    LinkNodes,
    Locate,
    ResetGraph,
    SetTempo,
    Start,
    Stop,
    UnlinkNodes,
)
from midipool.meter import Position
from tests.bench.process_cost import child_running
from tests.soak import actors
from tests.soak.actors import AUDIO_ENGINE, MIDI_ENGINE, Stage
from tests.soak.agreement import lost_on_the_way
from tests.soak.ears import Ears, device, pitch
from tests.soak.growth import Use
from tests.soak.hearing import NoteWatch
from tests.soak.observer import Observer, now_us
from tests.soak.plan import OBSERVER, Action, Course, make_plan, name_of
from tests.soak.port_meter import PortMeter
from tests.soak.report import make_report
from tests.soak.violation import Calm, Violation
from tests.soak.watches import BACK_US, SERVER_BACK_US, S, Watches

LOOK_S, MEASURE_S, ASK_S = 0.5, 5.0, 5.0
GONE_S = 30.0
"""So long after a client its engines are gone."""
MEMBERS_BACK_S = 30.0
LINE_US = 35 * S


@dataclass
class Options:
    """What is wanted."""

    minutes: float
    seed: int
    members: int = 16
    lasting: int = 4
    jack_servers: int = 2
    verbose: bool = False


@dataclass
class Ghost:
    """Processes that are to go."""

    who: str
    pids: list[int]
    until_s: float


@dataclass
class Soak:
    """All of one run."""

    options: Options
    stage: Stage
    observer: Observer
    watches: Watches
    began_s: float = 0.0
    done: list[Action] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    loads: list[float] = field(default_factory=list)
    server_logs: list[str] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    views: "queue.Queue[tuple[str, int, int, dict[str, Any]]]" = field(default_factory=queue.Queue)
    _told: int = 0
    _before: dict[str, Any] | None = None
    _back_by_s: float = 0.0

    # ---- the plan ----

    def carry_out(self, action: Action) -> None:
        """Do one thing."""
        self.done.append(action)
        self._say(str(action))
        getattr(self, f"_do_{action.do}")(action.who, *action.words)

    def _ask(self, kind: type[Any], **fields: Any) -> None:
        try:
            answer = self.observer.ask(kind, **fields)
        except MidiPoolError:
            self.skipped["room away"] += 1
            return
        if isinstance(answer, Error):
            self.refused[answer.code] += 1

    def _do_start(self, who: str) -> None:
        self._ask(Start)

    def _do_stop(self, who: str) -> None:
        self._ask(Stop)

    def _do_continue(self, who: str) -> None:
        self._ask(Continue)

    def _do_tempo(self, who: str, bpm: float, ramp_bars: int) -> None:
        self._ask(SetTempo, bpm=bpm, ramp_bars=ramp_bars)

    def _do_locate(self, who: str, bar: int, at: str) -> None:
        self._ask(Locate, position=Position(bar), at=at)

    def _do_add_song(self, who: str, name: str) -> None:
        self._ask(AddSong, name=name, bpm=100.0)

    def _do_link(self, who: str, source: str) -> None:
        self._ask(LinkNodes, source=source, target=who)

    def _do_unlink(self, who: str, source: str) -> None:
        self._ask(UnlinkNodes, source=source, target=who)

    def _do_hear(self, who: str, *sources: str) -> None:
        self._ask(HearOnly, target=who, sources=sources)

    def _do_graph_reset(self, who: str) -> None:
        self._ask(ResetGraph)

    def _do_line(self, who: str, loss: float, delay_ms: float, jitter_ms: float) -> None:
        self.watches.disturb("line", now_us(), LINE_US)
        self.stage.impair(loss, delay_ms, jitter_ms)

    def _do_join(self, who: str) -> None:
        self.watches.comes(who, now_us())
        self.stage.join(who)

    def _do_leave(self, who: str) -> None:
        self._end(who, signal.SIGINT)

    def _do_kill_client(self, who: str) -> None:
        self._end(who, signal.SIGKILL)

    def _end(self, who: str, number: signal.Signals) -> None:
        if self.stage.members[who].client is None:
            self.skipped["not there"] += 1
            return
        self.watches.goes(who, now_us())
        pids = self.stage.end_client(who, number)
        self.ghosts.append(Ghost(who, pids, time.monotonic() + GONE_S))

    def _do_kill_audio(self, who: str) -> None:
        self._kill_engine(who, AUDIO_ENGINE)

    def _do_kill_midi(self, who: str) -> None:
        self._kill_engine(who, MIDI_ENGINE)

    def _kill_engine(self, who: str, module: str) -> None:
        # Sound and notes of one whose engine is gone are missed by others too: by its name.
        self.watches.disturb(who, now_us(), BACK_US)
        try:
            self.stage.kill_engine(who, module)
        except (RuntimeError, OSError):
            self.skipped["no engine"] += 1

    def _do_kill_server(self, who: str, down_s: float) -> None:
        self._before = self._described()
        self.watches.disturb("server", now_us(), round(down_s * S) + SERVER_BACK_US)
        self.watches.disturb(OBSERVER, now_us(), round(down_s * S) + SERVER_BACK_US)
        self.server_logs.append(self.stage.kill_server())
        time.sleep(down_s)  # as long as the plan says
        self.stage.start_server()
        self._back_by_s = time.monotonic() + MEMBERS_BACK_S

    # ---- looking ----

    def look(self, meters: list[PortMeter], ears: list[Ears]) -> None:
        """All that is said all the time."""
        here = {name for name, member in self.stage.members.items() if member.here}
        for number, meter in enumerate(meters):
            self.watches.hear(meter, _ports(self.stage, number), here)
        self.watches.notes_due(sorted(here))
        for listening in ears:
            self.watches.listen(listening)
        with contextlib.suppress(queue.Empty):
            while True:
                self.watches.see(*self.views.get_nowait())
        self._look_at_ends()
        self._look_for_return()
        self._tell()

    def _look_at_ends(self) -> None:
        now_s = time.monotonic()
        for ghost in list(self.ghosts):
            ghost.pids = [pid for pid in ghost.pids if actors.is_alive(pid)]
            if ghost.pids and now_s > ghost.until_s:
                seen = f"{len(ghost.pids)} of its processes run {GONE_S:g} s after it"
                self._found("no process left", ghost.who, seen)
            if not ghost.pids or now_s > ghost.until_s:
                self.ghosts.remove(ghost)
        for name, member in self.stage.members.items():
            if member.client is not None and not member.client.alive:
                said = member.client.output()[-400:]
                self._found("clients stay", name, f"its client ended by itself: {said}")
                member.said.append(member.client.output())
                member.client = None
                self.watches.goes(name, now_us())
        if self.stage.server is not None and not self.stage.server.alive:
            self._found("the server stays", "server", self.stage.server.output()[-400:])
            self.stage.start_server()

    def _look_for_return(self) -> None:
        """Behind a killed server: the room is as it was, and all are in it again."""
        if self._before is None:
            return
        after = self._described()
        late = time.monotonic() > self._back_by_s
        here = {name for name, member in self.stage.members.items() if member.here} | {OBSERVER}
        connected = {m["name"] for m in after["members"] if m["connected"]} if after else set()
        was = {m["name"] for m in self._before["members"] if m["connected"]}
        if after is None or not (here & was <= connected):
            if late:
                missing = sorted((here & was) - connected)
                self._found("the server comes back", "server", f"without {', '.join(missing)}")
                self._before = None
            return
        if lost := lost_on_the_way(self._before, after):
            if not late:
                return
            self._found("the server comes back", "server", f"other than it was: {', '.join(lost)}")
        self.watches.counts["server returns"] += not lost
        self._before = None

    def _described(self) -> dict[str, Any] | None:
        try:
            return {**self.stage.room(), "songs": sorted(self.observer.song_names())}
        except (OSError, ValueError):
            return None

    def measure(self) -> None:
        """What the programs that last take."""
        self.loads.append(os.getloadavg()[0])
        assert self.stage.server is not None
        pids = {"server": self.stage.server.process.pid}
        for member in [*self.stage.members.values()][: self.options.lasting]:
            if member.client is None:
                continue
            pids[f"client of {member.name}"] = client = member.client.process.pid
            for kind, module in (("audio", AUDIO_ENGINE), ("MIDI", MIDI_ENGINE)):
                with contextlib.suppress(RuntimeError, OSError):
                    pids[f"{kind} engine of {member.name}"] = child_running(client, module)
        for what, pid in pids.items():
            with contextlib.suppress(OSError, KeyError):
                self.watches.measure(f"{what} ({pid})", _use(pid))

    def ask_all(self) -> None:
        """In a thread: what the clients say, one after the other."""
        while not self.stopped.is_set():
            names = [name for name, member in self.stage.members.items() if member.here]
            for name in names or [""]:
                if self.stopped.wait(ASK_S / max(len(names), 1)):
                    return
                with contextlib.suppress(OSError, ValueError, KeyError):
                    asked_us = now_us()
                    known = self.stage.ask_client(name)
                    self.views.put((name, asked_us, now_us(), known))

    def _found(self, invariant: str, who: str, seen: str) -> None:
        self.watches.found([Violation(now_us(), invariant, who, seen)])

    def _tell(self) -> None:
        for violation in self.watches.violations[self._told :]:
            self._say(f"VIOLATION {in_words(self, violation)}")
        self._told = len(self.watches.violations)

    def _say(self, text: str) -> None:
        if self.options.verbose or text.startswith("VIOLATION"):
            print(f"[{time.monotonic() - self.began_s:7.1f} s] {text}", flush=True)  # noqa: T201


def in_words(soak: Soak, violation: Violation) -> str:
    """What, who, when, and what was done last before it."""
    at_s = violation.at_us / S - soak.began_s
    before = [action for action in soak.done if action.at_s <= at_s]
    own = [action for action in before if violation.who in (action.who, *action.words)]
    text = f"{violation.invariant}: {violation.who}: {violation.seen} (at {at_s:.1f} s, "
    text += f"seed {soak.options.seed}; before it: {before[-1] if before else 'nothing'}"
    return text + (f"; to it: {own[-1]})" if own else ")")


def soak(options: Options) -> dict[str, Any]:
    """Run it until it is over or interrupted; the report."""
    calm = Calm()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        with (
            Stage(Path(folder), options.members, options.lasting, options.jack_servers) as stage,
            contextlib.ExitStack() as stack,
        ):
            notes: list[NoteWatch] = []
            observer = Observer(stage.url, OBSERVER, lambda at, key: notes[0].play(at, key))
            notes.append(NoteWatch(OBSERVER, observer.graph, calm))
            stack.enter_context(observer)
            watches = Watches(observer, calm, notes[0])
            run = Soak(options, stage, observer, watches)
            meters, ears = _listeners(stack, run)
            _perform(run, meters, ears)
            report = make_report(run, meters)
        left = actors.wait_gone(stage.mark, 15.0)
    if left:
        report["violations"].append(f"no process left: {left}")
    return report


def _listeners(stack: contextlib.ExitStack, run: Soak) -> tuple[list[PortMeter], list[Ears]]:
    lasting = [name_of(n) for n in range(run.options.lasting)]
    pitches = {name: pitch(number) for number, name in enumerate(lasting)}
    meters, ears = [], []
    for name, member in run.stage.members.items():
        run.watches.add(name, member.far)
        run.watches.goes(name, 0)
    for number, jack in enumerate(run.stage.jacks):
        ports = [*_ports(run.stage, number)]
        meters.append(stack.enter_context(PortMeter(jack.env, ports)))
        names = [name for name in lasting if run.stage.members[name].jack is jack]
        if names:
            ears.append(stack.enter_context(Ears(jack.env, names, pitches)))
    return meters, ears


def _ports(stage: Stage, number: int) -> dict[str, str]:
    """Members by their MIDI port, on one JACK server."""
    jack = stage.jacks[number]
    return {f"{device(n)}:midi_receive": n for n, m in stage.members.items() if m.jack is jack}


def _perform(run: Soak, meters: list[PortMeter], ears: list[Ears]) -> None:
    options = run.options
    seconds = options.minutes * 60
    can_lose = run.stage.why_no_loss is None
    plan = make_plan(Course(options.seed, seconds, options.members, options.lasting, can_lose))
    run.began_s = time.monotonic()
    asking = threading.Thread(target=run.ask_all)
    asking.start()
    measured_s = 0.0
    try:
        while (now_s := time.monotonic() - run.began_s) < seconds:
            while plan and plan[0].at_s <= now_s:
                run.carry_out(plan.pop(0))
                run.look(meters, ears)
            if now_s >= measured_s:
                measured_s = now_s + MEASURE_S
                run.measure()
            run.look(meters, ears)
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        run._say("interrupted")
    finally:
        run.stopped.set()
        asking.join()


def _use(pid: int) -> Use:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(now_us(), int(status["VmRSS"].split()[0]), files, int(status["Threads"]))
