"""What we send, and to whom: as those who hear us wish. Pure."""

from collections.abc import Collection, Iterable

from midipool.audio.profiles import ProfileName, encoding_for
from midipool.graph.part import GraphPart
from midipool.messages import AudioStream, HeardBy, Hearing
from midipool_client.audio.answers import answer_in_words, refusing
from midipool_client.audio.engine_messages import AudioReady, Repairs, Send


class Sending:
    """Our own stream."""

    def __init__(self) -> None:
        self.stream: AudioStream | None = None
        """What the engine was told to send; None until then."""
        self._repairs = False
        self._heard_by: dict[str, Hearing] = {}

    def keep(self, names: Collection[str]) -> None:
        """Only these are in the room."""
        self._heard_by = {name: h for name, h in self._heard_by.items() if name in names}

    def heard_by(self, message: HeardBy) -> tuple[str, bool]:
        """Another one says how it hears us: (what to tell people of that, whether it wishes
        otherwise than before)."""
        before = self._heard_by.get(message.name)
        self._heard_by[message.name] = message.hearing
        words = answer_in_words(message.name, before, message.hearing)
        return words, before is None or _wishes(before) != _wishes(message.hearing)

    def listeners(self, part: GraphPart, members: Collection[str]) -> frozenset[str] | None:
        """To whom we send: not to those who refuse it. None: to everybody."""
        if not (refuse := refusing(self._heard_by)):
            return part.audio_to
        hear = members if part.audio_to is None else part.audio_to
        return frozenset(hear) - refuse

    def forget_told(self) -> None:
        """The engine is a new one, and knows nothing."""
        self.stream, self._repairs = None, False

    def choose(self, part: GraphPart, channels: int, ready: AudioReady) -> list[Send | Repairs]:
        """What to tell the engine, if that is something new."""
        to = {n for n in self._heard_by if part.sends_audio_to(n)} - refusing(self._heard_by)
        heard_by = [hearing for name, hearing in self._heard_by.items() if name in to]
        if self._heard_by and not heard_by and self.stream is not None:
            return []  # nobody hears it: who does next is most likely one of those who did
        told: list[Send | Repairs] = []
        encoding = encoding_for(wishes_of(heard_by), channels, ready.period, ready.rate)
        stream = AudioStream(
            channels,
            encoding.packet_frames,
            encoding.source_packets,
            encoding.repair_packets,
            period_us=round(ready.period * 1_000_000 / ready.rate),
        )
        if stream != self.stream:
            self.stream = stream
            told.append(Send(encoding, channels))
        repairs = any(hearing.repair for hearing in heard_by)
        if repairs != self._repairs:
            self._repairs = repairs
            told.append(Repairs(repairs))
        return told


def wishes_of(heard_by: Iterable[Hearing]) -> list[ProfileName]:
    """The profiles of all who hear us."""
    return sorted({hearing.profile for hearing in heard_by})


def _wishes(hearing: Hearing) -> tuple[str, bool]:
    """What of a report decides what is sent."""
    return hearing.profile, hearing.repair
