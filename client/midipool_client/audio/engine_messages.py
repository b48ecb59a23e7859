"""What client and audio engine say to one another: msgpack, each message behind its length."""

from typing import Literal

import msgspec

from midipool.audio.bars import Piece
from midipool.audio.encoding import Encoding
from midipool.clock_map import ClockMap
from midipool.errors import InvalidMessage
from midipool_client.audio.device_choice import DeviceChoice, JackChoice
from midipool_client.engine.framing import framed
from midipool_client.playback.pieces import TakePiece
from midipool_client.recording.manifest import Track

Address = tuple[str, int]


class AudioConfig(msgspec.Struct, frozen=True):
    """How the client starts an engine: as JSON on its command line."""

    device_name: str
    channels: int
    media_port: int = 0
    device: DeviceChoice = JackChoice()
    again: bool = False
    """An engine was there before: what is missing now may come back."""
    connections: list[tuple[str, str]] = []
    """(our port without the client's name, other port), to be made again."""
    effects_fd: int | None = None
    """Of the memory that is shared with the effects engine."""


class Seat(msgspec.Struct, tag="seat", frozen=True):
    """To the engine: how to seal what is sent, and to open what comes."""

    key_id: int
    key: bytes
    sender: int
    after: int = 0
    """Counters above this one are free under this key."""


class NoSeat(msgspec.Struct, tag="no_seat", frozen=True):
    """To the engine: send nothing, the server has no relay."""


class VoiceLink(msgspec.Struct, frozen=True):
    """What a link of the room's graph lets through."""

    gain: float = 1.0
    channels: tuple[int, ...] = ()
    """From 1 on; none is all."""
    high_pass_hz: float = 0.0
    """0 is off."""
    low_pass_hz: float = 0.0
    """0 is off."""


class Voice(msgspec.Struct, frozen=True):
    """Another member as the engine hears it."""

    name: str
    sender: int
    channels: int
    encoding: Encoding
    target_us: int
    """The buffer; in bar mode how long it waits for repair, until it is decoded."""
    cover_us: int = 0
    """Of it, so much lies decoded for the case that this machine stands still."""
    by_bars: bool = False
    """Pieces say when it is played."""
    keep_us: int = 0
    """So much of what was decoded is kept for bars."""
    gain: float = 1.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    linked: bool = True
    """Whether the room's graph has us, or our recorder, hear it; its ports are there anyhow."""
    attempt: int = 0
    """What could not be heard is tried again when this is another one."""
    link: VoiceLink = VoiceLink()
    """What comes of it, also at its own ports."""
    tape: VoiceLink | None = VoiceLink()
    """What a recording gets of it; None: nothing."""


class Voices(msgspec.Struct, tag="voices", frozen=True):
    """To the engine: all who are to be heard; who is not in it goes."""

    voices: list[Voice]


class Pieces(msgspec.Struct, tag="pieces", frozen=True):
    """To the engine: what is heard when in bar mode, by all of them."""

    pieces: list[Piece]


class OwnStrip(msgspec.Struct, frozen=True):
    """A channel of one's own input."""

    gain: float = 1.0
    pan: float = 0.0
    mute: bool = False
    """For the room alone."""
    solo: bool = False


class Mix(msgspec.Struct, tag="mix", frozen=True):
    """To the engine: linear gains of what is heard of all, and of one's own input."""

    master: float = 1.0
    monitor: float = 0.0
    send: float = 1.0
    """Of one's own input as the others get it."""
    channels: list[OwnStrip] = []
    """Those of one's own input."""


class Watch(msgspec.Struct, tag="watch", frozen=True):
    """To the engine: somebody looks at meters: say the levels so often; 0 is not any more."""

    every_ms: int


class Send(msgspec.Struct, tag="send", frozen=True):
    """To the engine: how to pack what the player sends, and how many channels of it."""

    encoding: Encoding
    channels: int


class Repairs(msgspec.Struct, tag="repairs", frozen=True):
    """To the engine: whether anybody waits for repair packets; at first nobody does."""

    wanted: bool


class Way(msgspec.Struct, frozen=True):
    """Where datagrams go."""

    to: Address
    for_us: int = 0
    """Only for so long from now on; 0 is until told otherwise."""


class Ways(msgspec.Struct, tag="ways", frozen=True):
    """To the engine: where to send all that is sent."""

    ways: list[Way]
    relay: Address | None = None
    """What comes from there was relayed."""


class RoomClock(msgspec.Struct, tag="room_clock", frozen=True):
    """To the engine: host time to room time."""

    map: ClockMap


class Raw(msgspec.Struct, tag="raw", frozen=True):
    """To the engine: send bytes as they are."""

    to: Address
    data: bytes


class Greet(msgspec.Struct, tag="greet", frozen=True):
    """To the engine: say hello to the relay."""

    relay: Address
    now_us: int


class Record(msgspec.Struct, tag="record", frozen=True):
    """To the engine: write own input, the mix and all players into a folder, from then on."""

    folder: str
    player: str
    """Whose input it is."""
    format: Literal["flac", "wav"]
    from_us: int
    """Room time of the first frame; it may be to come."""
    most_bytes: int


class Tape(msgspec.Struct, tag="tape", frozen=True):
    """To the engine: what a recording gets of own input; None: nothing."""

    own: VoiceLink | None = VoiceLink()


class RecordMoved(msgspec.Struct, tag="record_moved", frozen=True):
    """To the engine: by the clock of the next RoomClock, the recording began then."""

    from_us: int


class RecordEnd(msgspec.Struct, tag="record_end", frozen=True):
    """To the engine: write what there is, and close the files."""


InsertMode = Literal["off", "feed", "on"]


class Inserts(msgspec.Struct, tag="inserts", frozen=True):
    """To the engine: where the effects engine is put in, or only listens."""

    own: InsertMode = "off"
    master: InsertMode = "off"


class PlayTake(msgspec.Struct, tag="play_take", frozen=True):
    """To the engine of a recording's participant: what of it is heard when, from now on."""

    pieces: list[TakePiece]


class MuteTake(msgspec.Struct, tag="mute_take", frozen=True):
    """To the engine of a recording's participant: these tracks are silent, counted from 0."""

    tracks: list[int]


class PlayFrames(msgspec.Struct, tag="play_frames", frozen=True):
    """To the engine of a module: what is to be sent as if it were captured from that frame on."""

    at: int
    """Frame of the room, at the device's rate."""
    frames: bytes
    """Interleaved floats."""


class HeardFrames(msgspec.Struct, tag="heard_frames", frozen=True):
    """From the engine of a module: the mix of a cycle, `count` frames from frame `at` on."""

    at: int
    count: int
    frames: bytes
    """Interleaved floats; empty for a module that does not hear."""
    late: int = 0
    """Frames that were to be played and came too late, so far."""


class AudioReady(msgspec.Struct, tag="ready", frozen=True):
    """From the engine: the ports and the socket are there; all must be told anew."""

    text: str
    rate: int
    period: int
    realtime: bool
    port: int
    """UDP port of the media socket."""
    device: DeviceChoice = JackChoice()
    """What was chosen: an engine that is started anew takes the same."""
    priority: int = -1
    """Of the thread of the device's callback; -1 without a real-time one."""


class Rare(msgspec.Struct, tag="rare", frozen=True):
    """From the engine: a STUN message, or the relay's answer, with the address it saw."""

    stun: bool
    source: Address
    data: bytes
    received_ns: int


class InsertStatus(msgspec.Struct, frozen=True):
    """How effects in one place do: on own channels, or on the master."""

    blocks: int = 0
    late: int = 0
    """Of these, played without effects because they were not there in time."""
    older_frames: int = 0
    """By which all is older now than without effects."""
    inserted: bool = False


class Recorded(msgspec.Struct, frozen=True):
    """How a recording stands."""

    folder: str
    rate: int
    tracks: list[Track]
    done: bool
    """All is written, and no more comes."""
    why: str
    """Why it ended, if it was not told to."""


class VoiceStatus(msgspec.Struct, frozen=True):
    """How one member is heard; counts run on as long as the engine lives."""

    name: str
    came: int = 0
    lost: int = 0
    """Source packets that were not there when they were due."""
    repaired: int = 0
    late: int = 0
    played_frames: int = 0
    concealed_frames: int = 0
    used_frames: int = 0
    """Of the device: so much of what lies decoded was needed since the last status, at most."""
    latency_us: int | None = None
    jitter_us: int = 0
    wait_us: int = 0
    floor_us: int = 0
    rms: float = 0.0
    peak: float = 0.0
    dropped: int = 0
    """Datagrams under its id that were not played."""
    reordered: int = 0
    """Datagrams that came behind a later one."""
    duplicates: int = 0
    """Datagrams that came once more, also by a second way."""
    relayed: bool = True
    silence_us: int | None = None
    direct_silence_us: int | None = None
    """Since anything came of it that was not relayed; None: never."""


class VoiceFailure(msgspec.Struct, frozen=True):
    """A member that is to be heard, and cannot be."""

    name: str
    attempt: int
    """The voice's."""
    reason: str


class AudioStatus(msgspec.Struct, tag="status", frozen=True):
    """From the engine, three times a second, and within 0.1 s when packets were late or lost."""

    voices: list[VoiceStatus]
    input_rms: float
    mix_rms: float
    counter: int
    """The last one used under the present key."""
    counts: dict[str, int]
    """What the media socket counted, by reason."""
    xruns: int
    connections: list[tuple[str, str]]
    period: int = 0
    """Of the device now; 0 while there is none."""
    open: bool = True
    note: str = ""
    """What the device has to say to people."""
    recorded: Recorded | None = None
    inserts: list[InsertStatus] = []
    """Own channels, master."""
    failures: list[VoiceFailure] = []


class Level(msgspec.Struct, frozen=True, array_like=True):
    """How loud something was since the last time: 1.0 is full scale."""

    peak: float = 0.0
    rms: float = 0.0


class Levels(msgspec.Struct, tag="levels", frozen=True):
    """From the engine, while somebody looks: all but own input's the loudest of their channels."""

    inputs: list[Level] = []
    """Of each own channel."""
    mix: Level = Level()
    voices: dict[str, Level] = {}

    @property
    def input(self) -> Level:
        """Own input's, the loudest of its channels."""
        return Level(
            max((level.peak for level in self.inputs), default=0.0),
            max((level.rms for level in self.inputs), default=0.0),
        )


class AudioProblem(msgspec.Struct, tag="problem", frozen=True):
    """From the engine: something cannot be had (any more)."""

    text: str


FromAudioEngine = AudioReady | Rare | AudioStatus | Levels | AudioProblem | HeardFrames
ToAudioEngine = (
    Seat
    | NoSeat
    | Voices
    | Pieces
    | Mix
    | Watch
    | Send
    | Repairs
    | Ways
    | RoomClock
    | Raw
    | Greet
    | Record
    | RecordMoved
    | RecordEnd
    | Tape
    | Inserts
    | PlayTake
    | MuteTake
    | PlayFrames
)

_from_engine: msgspec.msgpack.Decoder[FromAudioEngine] = msgspec.msgpack.Decoder(FromAudioEngine)
_to_engine: msgspec.msgpack.Decoder[ToAudioEngine] = msgspec.msgpack.Decoder(ToAudioEngine)
_encoder = msgspec.msgpack.Encoder()


def encode(message: FromAudioEngine | ToAudioEngine) -> bytes:
    """A message behind its length."""
    return framed(_encoder.encode(message))


def decode_from_engine(body: bytes) -> FromAudioEngine:
    """A message without its length; raises InvalidMessage."""
    try:
        return _from_engine.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessage(f"from the audio engine: {error}") from None


def decode_to_engine(body: bytes) -> ToAudioEngine:
    """A message without its length; raises InvalidMessage."""
    try:
        return _to_engine.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessage(f"to the audio engine: {error}") from None
