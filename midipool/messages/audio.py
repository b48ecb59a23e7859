"""What members tell one another of how they hear each other."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.audio.profiles import ProfileName
from midipool.messages.fields import Message, Name, Text

MAX_HEARINGS = 64
AUDIO_REPORTS_A_SECOND = 2

Milliseconds = Annotated[float, Meta(ge=0, le=1e6)]
Share = Annotated[float, Meta(ge=0, le=1)]
Decibels = Annotated[float, Meta(ge=-200, le=100)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
MediaPath = Literal["direct", "relay", "none"]
StreamAnswer = Literal["accepted", "failed", "refused"]
FORMAT_RULE = "1 to 16 letters, digits, `.`, `_` or `-`"
FormatWord = Annotated[
    str,
    Meta(
        max_length=16,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
        description=FORMAT_RULE,
    ),
]


class AudioStream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member sends: RTP of 16 bits at 48 kHz, in blocks of Reed-Solomon code (RS8M).

    Who sends something else says so; each listener answers for itself whether it takes it.
    """

    channels: Annotated[int, Meta(ge=1, le=64)]
    """Interleaved in each frame; all take up to 4."""
    packet_frames: Annotated[int, Meta(ge=16, le=1024)]
    """Frames in each source packet."""
    source_packets: Annotated[int, Meta(ge=1, le=254)]
    """In a block."""
    repair_packets: Annotated[int, Meta(ge=1, le=254)]
    """In a block."""
    rate: Annotated[int, Meta(ge=8000, le=384_000)] = 48_000
    """Frames a second."""
    encoding: FormatWord = "L16"
    """RTP's name of the samples."""
    code: FormatWord = "rs8m"
    """What repair packets are made by."""
    version: Annotated[int, Meta(ge=1, le=255)] = 1
    """Of the datagrams."""
    period_us: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Of the sound device: so far apart packets leave, all that it holds together. 0: each leaves
    by itself."""


class HeardCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a listener counted of one other; counts run on as long as its audio engine lives."""

    packets: Count = 0
    """Source packets that were there in time."""
    lost: Count = 0
    """Source packets that were not, before repair."""
    late: Count = 0
    """Of these, those that came too late."""
    reordered: Count = 0
    """Datagrams that came behind a later one."""
    duplicates: Count = 0
    """Datagrams that came once more, also by a second way."""
    frames: Count = 0
    """Frames of the stream that were played."""
    missing_frames: Count = 0
    """Of these, those without sound of the member, after repair."""


class Hearing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a listener hears one other member, over the last seconds."""

    member: Name
    """Who is heard."""
    profile: ProfileName
    """The listener's, by which the member chooses what it sends."""
    latency_ms: Milliseconds | None = None
    """From its microphone or DAW to the listener's; null while nothing is heard."""
    loss: Share = 0.0
    """Share of its packets that did not come in time, before repair."""
    residual_loss: Share = 0.0
    """Share that is missing after repair."""
    jitter_ms: Milliseconds = 0.0
    """99th percentile of what packets take longer than the quickest."""
    target_ms: Milliseconds = 0.0
    """The buffer that the listener holds."""
    level_db: Decibels | None = None
    """RMS of what is heard, in dB of full scale; null is silence."""
    path: MediaPath = "none"
    """Straight, through the server's relay, or none yet."""
    reason: Text = ""
    """For people: why this path."""
    buffer: Text = ""
    """For people: what the buffer does, and why."""
    dropped: Count = 0
    """Datagrams under its id that were not taken: old ones, too many, or no sound of its kind."""
    repair: bool = True
    """Whether the listener waits for repair packets: while nobody does, none are sent."""
    answer: StreamAnswer | None = None
    """What the listener says to the member's stream: it takes it; it cannot now, and tries again by
    itself; it does not, as long as neither changes. Null while it does not know what is sent, or
    is not to hear it."""
    answer_reason: Text = ""
    """For people: why it is not accepted."""
    counts: HeardCounts | None = None
    """For statistics; null before anything was counted."""


class Dropped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Datagrams that a member's audio did not take, by reason, since it began."""

    forged: Count = 0
    """Not sealed with the room's key, changed on the way, or what no member sends."""
    replayed: Count = 0
    """Came long before; what merely came by two ways is not counted."""
    flooded: Count = 0
    """More in a second than anybody's sound needs."""
    unknown: Count = 0
    """Of a sender or a key that it does not know, such as of one who has left."""
    rubbish: Count = 0
    """Neither STUN nor midiPool's."""
    crowded: Count = 0
    """Came faster than they could be taken."""


class AudioReport(Message, tag="audio_report", frozen=True):
    """How a member hears the others; at most twice a second, what comes faster is left out."""

    hears: Annotated[list[Hearing], Meta(max_length=MAX_HEARINGS)]
    """Each of the members that it hears or wants to hear; of two for one member the last counts."""
    sends: AudioStream | None = None
    """What it sends itself; null while it sends nothing."""
    dropped: Dropped = Dropped()
    """What else came to it."""


class HeardBy(Message, tag="heard_by", frozen=True):
    """How another member hears you, each time that it says so.

    A client that has much unread gets none.
    """

    name: Name
    """Who hears you."""
    hearing: Hearing
    """How; its `member` is you."""
    sends: AudioStream | None = None
    """What that member sends, for you to decode; null while it sends nothing."""
