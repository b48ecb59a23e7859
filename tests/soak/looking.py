"""Looks at all programs of a soak, and gives what is seen to the watches."""

import contextlib
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

from tests.bench.process_cost import child_running
from tests.soak import actors
from tests.soak.actors import AUDIO_ENGINE, MIDI_ENGINE, Member, Stage
from tests.soak.agreement import lost_on_the_way
from tests.soak.deeds import GONE_S
from tests.soak.ears import Ears, device, pitch
from tests.soak.growth import Use
from tests.soak.observer import now_us
from tests.soak.plan import OBSERVER, name_of
from tests.soak.port_meter import PortMeter
from tests.soak.state import Soak
from tests.soak.violation import MACHINE
from tests.soak.watches import S

ASK_S = 5.0
STALL_S, STALL_US = 5.0, 10_000_000
"""What is done takes as long as it does: a server is started again within this."""
BUSY_A_CORE, BUSY_US = 3.0, 40_000_000
"""A machine of which more is wanted is excused of all that takes time."""
NO_SERVER = "midipool-client: no server at"


class Looks:
    """Listens at all ports from the begin on; its programs end with the stack."""

    def __init__(self, stack: contextlib.ExitStack, soak: Soak) -> None:
        self._soak = soak
        self.meters, self._ears = _listeners(stack, soak)
        self._looked_s = time.monotonic()
        self._rooms: queue.Queue[dict[str, Any]] = queue.Queue()
        self._views: queue.Queue[tuple[str, int, int, dict[str, Any]]] = queue.Queue()

    def look(self) -> None:
        """All that is said all the time."""
        self._note_stall()
        here, watches = self._soak.here, self._soak.watches
        for number, meter in enumerate(self.meters):
            watches.hear(meter, ports_of(self._soak.stage, number), here)
        watches.notes_due(sorted(here))
        for ears in self._ears:
            watches.listen(ears)
        with contextlib.suppress(queue.Empty):
            while True:
                watches.see(*self._views.get_nowait())
        with contextlib.suppress(queue.Empty):
            while True:
                watches.see_room(self._rooms.get_nowait())
        self._look_at_ends()
        self._look_for_return()
        self._soak.tell()

    def _note_stall(self) -> None:
        """Where nobody looked for long the machine stood still: what takes time is excused."""
        now_s = time.monotonic()
        since_s, self._looked_s = self._looked_s, now_s
        if (for_s := now_s - since_s) > STALL_S:
            self._soak.stalls.append((round(since_s - self._soak.began_s, 1), round(for_s, 1)))
            for_us = round(for_s * S)
            self._soak.watches.disturb(MACHINE, now_us() - for_us, 2 * for_us + STALL_US)

    def _look_at_ends(self) -> None:
        now_s = time.monotonic()
        for ghost in list(self._soak.ghosts):
            ghost.pids = [pid for pid in ghost.pids if actors.is_alive(pid)]
            if ghost.pids and now_s > ghost.until_s:
                seen = f"{len(ghost.pids)} of its processes run {GONE_S:g} s after it"
                self._soak.found("no process left", ghost.who, seen)
            if not ghost.pids or now_s > ghost.until_s:
                self._soak.ghosts.remove(ghost)
        for member in self._soak.stage.members.values():
            if member.client is not None and not member.client.alive:
                self._ended_by_itself(member)
        if self._soak.stage.server is not None and not self._soak.stage.server.alive:
            self._soak.found("the server stays", "server", self._soak.stage.server.output()[-400:])
            self._soak.stage.start_server()

    def _ended_by_itself(self, member: Member) -> None:
        """It must not, but who finds no server at first says so and ends: it tries again."""
        assert member.client is not None
        said = member.client.output()
        member.said.append(said)
        member.client = None
        self._soak.watches.goes(member.name, now_us())
        if NO_SERVER in said.splitlines()[-1]:
            self._soak.skipped["no server yet"] += 1
            self._soak.watches.comes(member.name, now_us())
            self._soak.stage.join(member.name)
        else:
            seen = f"its client ended by itself: {said[-400:]}"
            self._soak.found("clients stay", member.name, seen)

    def _look_for_return(self) -> None:
        """Behind a killed server: the room is as it was, and all are in it again."""
        if self._soak.before is None:
            return
        after = self._soak.described()
        late = time.monotonic() > self._soak.back_by_s
        here = self._soak.here | {OBSERVER}
        connected = {m["name"] for m in after["members"] if m["connected"]} if after else set()
        was = {m["name"] for m in self._soak.before["members"] if m["connected"]}
        if after is None or not (here & was <= connected):
            if late:
                missing = sorted((here & was) - connected)
                self._soak.found("the server comes back", "server", f"without {', '.join(missing)}")
                self._soak.before = None
            return
        if lost := lost_on_the_way(self._soak.before, after):
            if not late:
                return
            self._soak.found(
                "the server comes back", "server", f"other than it was: {', '.join(lost)}"
            )
        self._soak.watches.counts["server returns"] += not lost
        self._soak.before = None

    def measure(self) -> None:
        """What the programs that last take."""
        self._soak.loads.append(load := os.getloadavg()[0])
        if load > BUSY_A_CORE * (os.cpu_count() or 1):
            self._soak.busy_looks += 1
            self._soak.watches.disturb(MACHINE, now_us(), BUSY_US)
        assert self._soak.stage.server is not None
        pids = {"server": self._soak.stage.server.process.pid}
        for member in [*self._soak.stage.members.values()][: self._soak.options.lasting]:
            if member.client is None:
                continue
            pids[f"client of {member.name}"] = client = member.client.process.pid
            for kind, module in (("audio", AUDIO_ENGINE), ("MIDI", MIDI_ENGINE)):
                with contextlib.suppress(RuntimeError, OSError):
                    pids[f"{kind} engine of {member.name}"] = child_running(client, module)
        for what, pid in pids.items():
            with contextlib.suppress(OSError, KeyError):
                self._soak.watches.measure(f"{what} ({pid})", _use(pid))

    def ask_all(self, stopped: threading.Event) -> None:
        """In a thread: what the clients say, one after the other."""
        while not stopped.is_set():
            names = [name for name, member in self._soak.stage.members.items() if member.here]
            with contextlib.suppress(OSError, ValueError):
                self._rooms.put(self._soak.stage.room())
            for name in names or [""]:
                if stopped.wait(ASK_S / max(len(names), 1)):
                    return
                with contextlib.suppress(OSError, ValueError, KeyError):
                    asked_us = now_us()
                    known = self._soak.stage.ask_client(name)
                    self._views.put((name, asked_us, now_us(), known))


def _listeners(stack: contextlib.ExitStack, soak: Soak) -> tuple[list[PortMeter], list[Ears]]:
    lasting = [name_of(n) for n in range(soak.options.lasting)]
    pitches = {name: pitch(number) for number, name in enumerate(lasting)}
    meters, ears = [], []
    for name, member in soak.stage.members.items():
        soak.watches.add(name, member.far)
        soak.watches.goes(name, 0)
    for number, jack in enumerate(soak.stage.jacks):
        ports = [*ports_of(soak.stage, number)]
        meters.append(stack.enter_context(PortMeter(jack.env, ports)))
        names = [name for name in lasting if soak.stage.members[name].jack is jack]
        if names:
            ears.append(stack.enter_context(Ears(jack.env, names, pitches)))
    return meters, ears


def ports_of(stage: Stage, number: int) -> dict[str, str]:
    """Members by their MIDI port, on one JACK server."""
    jack = stage.jacks[number]
    return {f"{device(n)}:midi_receive": n for n, m in stage.members.items() if m.jack is jack}


def _use(pid: int) -> Use:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(now_us(), int(status["VmRSS"].split()[0]), files, int(status["Threads"]))
