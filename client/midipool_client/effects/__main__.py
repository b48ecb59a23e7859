"""The effects engine: a program of its own, which works the boards, and nothing else.

`python -m midipool_client.effects CONFIG`, CONFIG being JSON. It reads what to do from standard
input and reports on standard output (messages.py); when its input ends it goes. Whatever happens to
it, the audio engine plays on without effects. Plug-ins are loaded here, in its first thread.
"""

import faulthandler
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from midipool.effects.board import Effect
from midipool.errors import InvalidMessage, MidiPoolError
from midipool_client.effects.messages import (
    EffectsConfig,
    EffectsProblem,
    EffectsStatus,
    FromEffects,
    Pitch,
    decode_to_engine,
    encode,
)
from midipool_client.engine.framing import Input
from midipool_native import host_clock
from midipool_native.effects import EffectsMemory

STATUS_S, TUNER_S = 0.25, 0.125
# An effect that works for so long on one block does not come back.
STUCK_NS, STUCK_CODE = 2_000_000_000, 70
# One that keeps the interpreter's lock as well stops us from saying so: a thread that needs none
# ends the program then, with code 1. Loading may take its time.
HELD_S, LOADING_S = 3.0, 15.0
# To set that clock anew is to make a thread: not each time that we look.
WATCH_S = 1.0
MISSING_CODE = 3


class EffectsEngine:
    """Makes effects, hands them to the thread that works, and reports."""

    def __init__(self, config: EffectsConfig) -> None:
        """Raises ImportError when a library is missing, and MidiPoolError."""
        from midipool_client.effects import making, work
        from midipool_client.effects.makers.place import Place

        self._making, self._place = making, Place
        self._config = config
        self._memory = EffectsMemory(config.memory_fd)
        self._work = work.Work(self._memory, config)
        self._stages: dict[tuple[Any, ...], Any] = {}
        self._problems: dict[int, str] = {}
        self._version = 0
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # what a library prints must not get between our messages

    def run(self, source: Input) -> None:
        """Work until the input ends."""
        self._work.start()
        gc.collect()
        gc.freeze()
        gc.disable()
        next_watch_s = next_status_s = next_tuner_s = 0.0
        pitch: Pitch | None = None
        while not source.ended:
            if time.monotonic() >= next_watch_s:
                next_watch_s = time.monotonic() + WATCH_S
                faulthandler.dump_traceback_later(HELD_S, exit=True)
            look_s = TUNER_S if self._work.tuned else STATUS_S
            readable, _, _ = select.select([source.fd], [], [], look_s)
            if readable:
                for body in source.take():
                    self._take(body)
                    next_watch_s = next_status_s = 0.0
            self._end_if_stuck()
            self._work.tell_latency()
            now_s = time.monotonic()
            if self._work.tuned and now_s >= next_tuner_s:
                next_tuner_s, next_status_s = now_s + TUNER_S, 0.0
                pitch = self._pitch()
            if now_s >= next_status_s:
                next_status_s = now_s + STATUS_S
                self._say(self._status(pitch if self._work.tuned else None))
        faulthandler.cancel_dump_traceback_later()
        self._work.stop()

    def _take(self, body: bytes) -> None:
        try:
            work = decode_to_engine(body)
        except InvalidMessage as error:
            self._say(EffectsProblem(str(error)))
            return
        self._problems = {}
        kept: dict[tuple[Any, ...], Any] = {}
        for place, chain in self._work.chains.items():
            stages = self._stages_of(place, work.boards.get(place, ()), work.bpm, kept)
            self._work.want(chain, stages)
        self._stages = kept
        self._work.tuned = work.tuner
        self._version = work.version

    def _stages_of(
        self,
        place: str,
        effects: tuple[Effect, ...],
        bpm: float,
        kept: dict[tuple[Any, ...], Any],
    ) -> list[Any]:
        stages = []
        for effect in effects:
            key = (place, *self._making.made_of(effect))
            try:
                stage = self._stages.get(key) or self._made(effect, place)
                stage.apply(effect.all_values, bpm)
            except MidiPoolError as error:
                self._problems[effect.id] = str(error)
                continue
            kept[key] = stage
            stages.append(stage)
        return stages

    def _made(self, effect: Effect, place: str) -> Any:
        channels = {"own": self._config.in_channels, "master": self._config.out_channels}
        where = self._place(channels.get(place, 1), self._config.rate, self._memory)
        # Should it take us down, the client knows who it was.
        self._memory.mark(1, effect.id)
        faulthandler.dump_traceback_later(LOADING_S, exit=True)
        try:
            return self._making.make(effect, where)
        finally:
            self._memory.mark(1, 0)

    def _pitch(self) -> Pitch:
        from midipool_client.effects.tuner import pitch_of

        return pitch_of(self._work.heard(), self._config.rate)

    def _end_if_stuck(self) -> None:
        since_ns = self._work.busy_since_ns
        if since_ns and host_clock.now_ns() - since_ns > STUCK_NS:
            os._exit(STUCK_CODE)

    def _status(self, pitch: Pitch | None) -> EffectsStatus:
        load, most = self._work.load()
        broken = {s.id: s.broken for s in self._stages.values() if s.broken}
        found: Mapping[int, Any] = {s.id: s.found for s in self._stages.values() if s.found}
        return EffectsStatus(
            version=self._version,
            load=round(load, 4),
            most_load=round(most, 4),
            latency_frames=self._work.latency_frames,
            problems={**self._problems, **broken},
            found=found,
            pitch=pitch,
        )

    def _say(self, message: FromEffects) -> None:
        try:
            self._out.write(encode(message))
            self._out.flush()
        except OSError:
            pass  # The client is gone; our input ends as well.


def main() -> int:
    """Run an engine as the client configured it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client decides when to end
    sys.setswitchinterval(1e-5)  # the thread with a deadline does not wait for the other
    host_clock.set_off_for_tests()
    host_clock.name_thread("midipool-fx")
    host_clock.lock_memory()
    config = msgspec.json.decode(sys.argv[1], type=EffectsConfig)
    try:
        engine = EffectsEngine(config)
    except (ImportError, MidiPoolError) as error:
        sys.stdout.buffer.write(encode(EffectsProblem(str(error))))
        sys.stdout.buffer.flush()
        return MISSING_CODE
    engine.run(Input(0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
