"""What a plan says is done."""

import signal
import time
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
from tests.soak.actors import AUDIO_ENGINE, MIDI_ENGINE
from tests.soak.observer import now_us
from tests.soak.plan import OBSERVER, Action
from tests.soak.state import Ghost, Soak
from tests.soak.watches import BACK_US, SERVER_BACK_US, S

GONE_S = 30.0
"""So long after a client its engines are gone."""
MEMBERS_BACK_S = 60.0
LINE_US = 35 * S


class Deeds:
    """Does it, and says to the watches to whom."""

    def __init__(self, soak: Soak) -> None:
        self._soak = soak

    def carry_out(self, action: Action) -> None:
        """Do one thing."""
        self._soak.done.append((time.monotonic() - self._soak.began_s, action))
        self._soak.say(str(action))
        getattr(self, f"_do_{action.do}")(action.who, *action.words)

    def _ask(self, kind: type[Any], **fields: Any) -> None:
        try:
            answer = self._soak.observer.ask(kind, **fields)
        except MidiPoolError:
            self._soak.skipped["room away"] += 1
            return
        if isinstance(answer, Error):
            self._soak.refused[answer.code] += 1

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
        self._soak.watches.disturb("line", now_us(), LINE_US)
        self._soak.stage.impair(loss, delay_ms, jitter_ms)

    def _do_join(self, who: str) -> None:
        self._soak.watches.comes(who, now_us())
        self._soak.stage.join(who)

    def _do_leave(self, who: str) -> None:
        self._end(who, signal.SIGINT)

    def _do_kill_client(self, who: str) -> None:
        self._end(who, signal.SIGKILL)

    def _end(self, who: str, number: signal.Signals) -> None:
        if self._soak.stage.members[who].client is None:
            self._soak.skipped["not there"] += 1
            return
        self._soak.watches.goes(who, now_us())
        pids = self._soak.stage.end_client(who, number)
        self._soak.ghosts.append(Ghost(who, pids, time.monotonic() + GONE_S))

    def _do_kill_audio(self, who: str) -> None:
        self._kill_engine(who, AUDIO_ENGINE)

    def _do_kill_midi(self, who: str) -> None:
        self._kill_engine(who, MIDI_ENGINE)

    def _kill_engine(self, who: str, module: str) -> None:
        # Sound and notes of one whose engine is gone are missed by others too: by its name.
        self._soak.watches.disturb(who, now_us(), BACK_US)
        try:
            self._soak.stage.kill_engine(who, module)
        except (RuntimeError, OSError):
            self._soak.skipped["no engine"] += 1

    def _do_kill_server(self, who: str, down_s: float) -> None:
        self._soak.before = self._soak.described()
        self._soak.watches.disturb("server", now_us(), round(down_s * S) + SERVER_BACK_US)
        self._soak.watches.disturb(OBSERVER, now_us(), round(down_s * S) + SERVER_BACK_US)
        self._soak.server_logs.append(self._soak.stage.kill_server())
        time.sleep(down_s)  # as long as the plan says
        self._soak.stage.start_server()
        self._soak.back_by_s = time.monotonic() + MEMBERS_BACK_S
