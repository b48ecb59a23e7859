"""How one other member is heard: its buffer, and what is reported of it. Pure."""

import msgspec

from midipool.audio.acceptance import Acceptance, trouble_with
from midipool.audio.bars import BarDelay
from midipool.audio.encoding import Encoding
from midipool.audio.health import Heard, HearingMeter
from midipool.audio.listening import bars_in_words
from midipool.audio.profiles import PROFILES
from midipool.audio.strips import Strip, factor
from midipool.audio.target import AdaptiveTarget, Limits, Measured, Target
from midipool.graph.graph import Link
from midipool.messages import AudioStream, Hearing, MediaPath
from midipool_client.audio.engine_messages import Voice, VoiceLink, VoiceStatus
from midipool_client.audio.options import AudioOptions

# More than that of the bars is not given to jitter.
MOST_JITTER_WAIT_US = 200_000
GRAIN_US = 20_000
# The engine knows what it needs itself; it is not followed into every µs.
FLOOR_STEP_US = 50
SILENT = VoiceLink(gain=0.0)
NOT_LINKED = "not linked in the room's graph"


class MemberHearing:
    """A member that we hear, or wait for. Times are room µs."""

    def __init__(self, name: str, sender: int, options: AudioOptions) -> None:
        self.name = name
        self.sender = sender
        self.stream: AudioStream | None = None
        """What it sends, as it says; None until then."""
        self.path: MediaPath = "none"
        self.reason = ""
        self.strip = Strip()
        """Its place in our mix."""
        self.link: Link | None = Link(name, "", "audio")
        """How the room's graph lets us hear it; None if it does not."""
        self.tape: Link | None = self.link
        """The same for what we record."""
        self.acceptance = Acceptance()
        """What we say to its stream."""
        self.keep_us = 0
        """So much of what it plays is kept for bars."""
        self._options = options
        self._period_frames, self._rate = 128, 48_000
        self._measured_floor_us = 0
        self._meter = HearingMeter(name)
        self._adaptive: AdaptiveTarget | None = None
        self._target_us = self._cover_us = 0
        self._words = ""

    def device(self, period_frames: int, rate: int) -> None:
        """Our sound device has this period."""
        self._period_frames, self._rate = period_frames, rate
        self._measured_floor_us = 0
        self._retarget()

    def sends(self, stream: AudioStream) -> None:
        """The member says what it sends."""
        if stream != self.stream:
            if self.stream is not None:
                self.acceptance.offered_anew()
            self.stream = stream
            self._retarget()

    def set_profile(self, options: AudioOptions) -> None:
        """We hear it otherwise from now on."""
        if options.profile != self._options.profile:
            self._adaptive = None
        self._options = options
        self._retarget()

    def voice(self) -> Voice | None:
        """What the engine is to do; None while we do not know what the member sends."""
        if self.stream is None or trouble_with(self.stream) is not None:
            return None
        return Voice(
            name=self.name,
            sender=self.sender,
            channels=self.stream.channels,
            encoding=self._encoding(self.stream),
            target_us=self._target_us,
            cover_us=self._cover_us,
            by_bars=self._options.profile == "bar",
            keep_us=self.keep_us,
            gain=self.strip.gain,
            pan=self.strip.pan,
            mute=self.strip.mute,
            solo=self.strip.solo,
            linked=self.is_sent and self.acceptance.is_tried,
            attempt=self.acceptance.attempt,
            link=SILENT if self.link is None and self.tape is not None else voice_link(self.link),
            tape=None if self.tape is None else voice_link(self.tape),
        )

    @property
    def is_sent(self) -> bool:
        """Whether it comes to us: to be heard, or to be recorded."""
        return self.link is not None or self.tape is not None

    def set_link(self, link: Link | None, tape: Link | None) -> None:
        """The graph lets us hear it so, and record it so; what was counted before it did says
        nothing any more."""
        was_sent = self.is_sent
        self.link, self.tape = link, tape
        if self.is_sent != was_sent:
            self._meter, self._adaptive, self.path = HearingMeter(self.name), None, "none"
            self._retarget()

    def take(self, status: VoiceStatus, now_us: int, bars: BarDelay | None, xruns: int = 0) -> None:
        """What the engine counted; `bars` is the grid for bar mode, if it is known."""
        self.path = "relay" if status.relayed else "direct"
        if status.silence_us is None or status.silence_us > 2_000_000:
            self.path = "none"
        self._meter.take(
            Heard(
                now_us=now_us,
                came=status.came,
                missing=status.lost,
                played_frames=status.played_frames,
                missing_frames=status.concealed_frames,
                latency_us=status.latency_us,
                jitter_us=status.jitter_us,
                target_us=status.wait_us,
                rms=status.rms,
                dropped=status.dropped,
                late=status.late,
                reordered=status.reordered,
                duplicates=status.duplicates,
            )
        )
        if status.floor_us and abs(status.floor_us - self._measured_floor_us) > FLOOR_STEP_US:
            self._measured_floor_us = status.floor_us
            self._retarget()
        if self._options.profile == "bar":
            self._wait_for_repair(status)
            self._words = self._bars_in_words(bars, now_us, status.wait_us)
        elif self._adaptive is not None:
            measured = Measured(
                now_us,
                status.came,
                status.late,
                # Of what this machine dropped itself a repair packet would be dropped as well.
                max(status.lost - status.late - status.dropped, 0),
                jitter_us=self._jitter_us(status),
                cover_used_us=status.used_frames * 1_000_000 // self._rate,
                xruns=xruns,
            )
            self._wait(self._adaptive.update(measured))

    def _wait(self, target: Target) -> None:
        self._target_us, self._cover_us, self._words = target.us, target.cover_us, target.words

    @property
    def wait_us(self) -> tuple[int, int]:
        """How long its sound waits, and how much of that is cover."""
        return self._target_us, self._cover_us

    def hearing(self) -> Hearing:
        """For a report."""
        if not self.is_sent:
            return Hearing(self.name, self._options.profile, reason=NOT_LINKED, repair=False)
        heard = self._meter.hearing(self._options.profile, self.path, self.reason, self._words)
        return msgspec.structs.replace(
            heard,
            repair=self.waits_for_repair,
            answer=None if self.stream is None else self.acceptance.answer,
            answer_reason=self.acceptance.reason,
        )

    @property
    def waits_for_repair(self) -> bool:
        """Whether repair packets are of use to us."""
        if not self.is_sent:
            return False
        if self._adaptive is not None:
            return self._adaptive.waits_for_repair
        return PROFILES[self._options.profile].repairs

    def _wait_for_repair(self, status: VoiceStatus) -> None:
        """There is time: what comes unevenly is waited for longer."""
        if self.stream is None:
            return
        profile, encoding = PROFILES["bar"], self._encoding(self.stream)
        more_us = min(max(2 * self._jitter_us(status) - profile.margin_us, 0), MOST_JITTER_WAIT_US)
        begin_us = profile.target_us(encoding, self._floor_us(encoding), self._period_us)
        self._target_us = begin_us + more_us // GRAIN_US * GRAIN_US

    def _bars_in_words(self, bars: BarDelay | None, now_us: int, need_us: int) -> str:
        if bars is None:
            return "the room's bars are not known yet"
        if (complaint := bars.complaint(now_us, need_us)) is not None:
            return complaint
        heard_us = bars.play_at(now_us)
        if heard_us is None:
            return f"{bars_in_words(bars.bars)} later while the song plays"
        return f"{bars_in_words(bars.bars)} later, {(heard_us - now_us) / 1e6:.2f} s"

    def _retarget(self) -> None:
        if self.stream is None:
            return
        profile, encoding = PROFILES[self._options.profile], self._encoding(self.stream)
        floor_us = self._floor_us(encoding)
        begin_us = profile.target_us(encoding, floor_us, self._period_us)
        if not profile.adaptive:
            self._adaptive = None
            words = f"{profile.name}: {begin_us / 1000:.1f} ms"
            self._wait(Target(begin_us, words, profile.covered_us(self._period_us)))
            return
        # Sound waits for what the engine needs anyhow: repair has that time too, but for the last
        # packet of a block, which hardly any needs.
        engine_us = floor_us - self._least_us(encoding)
        limits = Limits(
            floor_us=floor_us,
            ceiling_us=self._options.max_latency_us,
            packet_us=encoding.packet_us,
            repair_wait_us=encoding.repair_wait_us - engine_us,
            period_us=self._period_us,
        )
        if self._adaptive is None:
            self._adaptive = AdaptiveTarget(limits)
            self._wait(self._adaptive.target)
        else:
            self._wait(self._adaptive.hold_to(limits))

    @property
    def _period_us(self) -> int:
        return -(-self._period_frames * 1_000_000 // self._rate)

    def _floor_us(self, encoding: Encoding) -> int:
        """What packets, the two devices and our engine need."""
        engine_us = self._bunched_us(encoding) + self._measured_floor_us
        return max(self._least_us(encoding), engine_us)

    def _least_us(self, encoding: Encoding) -> int:
        """What packets and the two devices need."""
        lowest_us = encoding.lowest_us(self._period_frames, self._rate)
        return self._bunched_us(encoding) + lowest_us

    def _bunched_us(self, encoding: Encoding) -> int:
        return 0 if self.stream is None else encoding.bunched_us(self.stream.period_us)

    def _jitter_us(self, status: VoiceStatus) -> int:
        """Beyond that of the sender's device, which is waited for anyhow."""
        bunched_us = 0 if self.stream is None else self._bunched_us(self._encoding(self.stream))
        return max(status.jitter_us - bunched_us, 0)

    @staticmethod
    def _encoding(stream: AudioStream) -> Encoding:
        return Encoding(stream.packet_frames, stream.source_packets, stream.repair_packets)


def voice_link(link: Link | None) -> VoiceLink:
    """As the engine has it; without one, all."""
    if link is None:
        return VoiceLink()
    return VoiceLink(factor(link.gain_db), link.channels, link.high_pass_hz, link.low_pass_hz)
