"""The Link library on this host's clock. The edge: it reads clocks, and Link sends by itself.

The library has threads of its own. They are never called back into Python: its destructor waits
for them while it holds the interpreter's lock, which a callback would be waiting for.
"""

from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

from midipool.errors import Unavailable
from midipool.tempo import MAX_BPM, MIN_BPM
from midipool_client.link.link_clock import LinkClock
from midipool_client.link.link_tempo import MINUTE_US, beat_us_of
from midipool_client.link.state import LinkState, SetLink
from midipool_native import host_clock

if TYPE_CHECKING:
    import link

MISSING = "Ableton Link needs a library: pip install 'midipool[link]'"
TRIES = 5
TIGHT_NS = 5_000
LOOSE_NS = 50_000
FOUNDING_BPM = 120.0
# Link tells phases in any quantum. In one this long they are beats since the session's beat 0;
# the upper half is what lies before it.
LONG_BEATS = 2**30


class LinkSession:
    """Takes part in the Link session of this network from `enable` to `close`."""

    def __init__(self) -> None:
        """Prepare; raises Unavailable if there is no Link library."""
        self._link: link.Link = _library().Link(FOUNDING_BPM)
        self._link.startStopSyncEnabled = True
        host_ns, link_us, _ = self._read_clocks()
        self._clock = LinkClock(host_ns, link_us)

    def __enter__(self) -> Self:
        self.enable()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def enable(self) -> None:
        """Look for peers, and be found."""
        self._link.enabled = True

    def close(self) -> None:
        """Leave the session; the others go on."""
        self._link.enabled = False

    def snapshot(self) -> LinkState:
        """The session as it is now."""
        host_ns, link_us, apart_ns = self._read_clocks()
        if apart_ns <= LOOSE_NS:
            self._clock.add(host_ns, link_us)
        else:  # we were kept from the processor in between
            link_us = self._clock.link_us(host_ns)
        state = self._link.captureAppSessionState()
        beats = state.phaseAtTime(link_us, LONG_BEATS)
        if beats >= LONG_BEATS / 2:
            beats -= LONG_BEATS
        return LinkState(
            host_ns=host_ns,
            beat_us=beat_us_of(state.tempo()),
            beats=round(beats * 1e6),
            playing=state.isPlaying(),
            playing_since_ns=self._clock.host_ns(state.timeForIsPlaying()),
            peers=self._link.numPeers(),
            clock_rate=self._clock.rate,
        )

    def apply(self, change: SetLink) -> None:
        """Change the session for all of its peers."""
        state = self._link.captureAppSessionState()
        at_us = max(self._clock.link_us(change.host_ns), 0)
        if change.beat_us is not None:
            bpm = min(max(MINUTE_US / change.beat_us, MIN_BPM), MAX_BPM)
            state.setTempo(bpm, at_us)
        if change.phase_beats is not None:
            bar = change.bar_beats / 1e6
            now = state.beatAtTime(at_us, bar)
            # The nearest beat of that phase: only the phase is shared, our own count is nobody's.
            ahead = (change.phase_beats / 1e6 - now + bar / 2) % bar - bar / 2
            state.forceBeatAtTime(now + ahead, at_us, bar)
        if change.playing is not None:
            playing_at_us = max(self._clock.link_us(change.playing_at_ns), 0)
            state.setIsPlaying(change.playing, playing_at_us)
        self._link.commitAppSessionState(state)

    def _read_clocks(self) -> tuple[int, int, int]:
        """(host ns, Link µs, ns it took) of one instant: the tightest of some tries."""
        clock = self._link.clock()
        readings = []
        for _ in range(TRIES):
            before_ns = host_clock.now_ns()
            link_us = clock.micros()
            apart_ns = host_clock.now_ns() - before_ns
            readings.append((apart_ns, before_ns + apart_ns // 2, link_us))
            if apart_ns <= TIGHT_NS:
                break
        apart_ns, host_ns, link_us = min(readings)
        return host_ns, link_us, apart_ns


def _library() -> ModuleType:
    try:
        import link
    except ImportError:
        raise Unavailable(MISSING) from None
    return link
