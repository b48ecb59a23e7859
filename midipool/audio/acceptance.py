"""What a listener answers to a stream that is offered to it: accepted, failed or refused. Pure.

*Failed* is tried again by itself: at once when what hindered it is over, else with growing pauses.
*Refused* is not, until another format is offered or the listener is another one.
"""

from dataclasses import dataclass

from midipool.audio.encoding import CHANNELS, MAX_BLOCK_PACKETS, STREAM_RATE, most_frames
from midipool.audio.health import fit
from midipool.media_datagram import VERSION
from midipool.messages import AudioStream, StreamAnswer

ENCODING, CODE = "L16", "rs8m"
FIRST_PAUSE_US, MOST_PAUSE_US = 500_000, 30_000_000
# What went well for so long began well: the next failure is a first one.
WELL_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a stream cannot be heard now."""

    reason: str
    lasts: bool = False
    """Trying again changes nothing."""


def trouble_with(stream: AudioStream) -> Trouble | None:
    """Why nobody of this version can hear a stream of this format; None if it can be heard."""
    most = most_frames(min(stream.channels, max(CHANNELS)))
    packets = stream.source_packets + stream.repair_packets
    rules = (
        (stream.version == VERSION, f"datagrams of version {stream.version}, not {VERSION}"),
        (stream.rate == STREAM_RATE, f"{stream.rate} Hz, not {STREAM_RATE}"),
        (stream.encoding == ENCODING, f"samples as {stream.encoding}, not {ENCODING}"),
        (stream.code == CODE, f"repair packets of {stream.code}, not {CODE}"),
        (stream.channels in CHANNELS, f"{stream.channels} channels, not 1, 2 or 4"),
        (
            stream.packet_frames <= most,
            f"packets of {stream.packet_frames} frames, of at most {most}",
        ),
        (
            packets <= MAX_BLOCK_PACKETS,
            f"blocks of {packets} packets, of at most {MAX_BLOCK_PACKETS}",
        ),
    )
    wrong = [words for holds, words in rules if not holds]
    return Trouble(f"the stream has {'; '.join(wrong)}", lasts=True) if wrong else None


class Acceptance:
    """A listener's answer to one stream. Times are µs of one clock."""

    def __init__(self) -> None:
        self._begin(attempt=0)

    def _begin(self, attempt: int) -> None:
        self.answer: StreamAnswer | None = None
        """None until there is one."""
        self.reason = ""
        self.attempt = attempt
        """Counts tries, so that what is said of one is not taken for the next."""
        self._hindered = False
        self._again_us: int | None = None
        self._pause_us = FIRST_PAUSE_US
        self._well_us: int | None = None

    @property
    def is_tried(self) -> bool:
        """Whether the stream is to be heard now, or tried to be."""
        return not self._hindered and self._again_us is None

    def offered_anew(self) -> None:
        """It has another format: what was said of the one before does not hold."""
        self._begin(self.attempt + 1)

    def hinder(self, trouble: Trouble | None) -> None:
        """What is known to hinder it now; with None it is tried at once."""
        if trouble is not None:
            self._say("refused" if trouble.lasts else "failed", trouble.reason)
            self._again_us = self._well_us = None
        elif self._hindered:
            self.attempt += 1
        self._hindered = trouble is not None

    def failed(self, now_us: int, attempt: int, reason: str) -> None:
        """A try came to nothing."""
        if attempt != self.attempt or not self.is_tried:
            return
        if self._well_us is not None and now_us - self._well_us >= WELL_US:
            self._pause_us = FIRST_PAUSE_US
        self._say("failed", reason)
        self._again_us, self._well_us = now_us + self._pause_us, None
        self._pause_us = min(2 * self._pause_us, MOST_PAUSE_US)

    def taken(self, now_us: int) -> None:
        """A try went well: the stream is heard as soon as it comes."""
        if self.is_tried:
            self._say("accepted", "")
            self._well_us = now_us if self._well_us is None else self._well_us

    def look(self, now_us: int) -> None:
        """Try again, if it is time."""
        if self._again_us is not None and now_us >= self._again_us:
            self._again_us = None
            self.attempt += 1

    def _say(self, answer: StreamAnswer, reason: str) -> None:
        self.answer, self.reason = answer, fit(reason)
