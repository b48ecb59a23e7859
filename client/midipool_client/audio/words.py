"""The player's words for how the others are heard: `profile=bar bars=2 gain=-6`. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from midipool.audio.listening import Listening
from midipool.audio.profiles import profile_named
from midipool.audio.strips import Mix, check_channel, check_db, check_send_channels
from midipool.errors import InvalidValue
from midipool_client.audio.options import parse_bars, parse_max_latency_ms

LISTENING_WORDS = (
    "profile=lan|jam|safe|bar, bars=2, max-latency-ms=40, master=-3, monitor=-6|off, "
    "send=-3, send-mute=on, send-channels=1|2|4|all"
)
STRIP_WORDS = "gain=-6 (dB), pan=-0.5 (-1 is left), mute=on, solo=on"
CHANNEL_WORDS = "gain=-6 (dB), pan=-0.5|auto (-1 is left), mute=on (for the room), solo=on"


def listening_of(words: Iterable[str], before: Listening) -> Listening:
    """What `before` becomes by some KEY=VALUE; raises InvalidValue."""
    fields, mix = _split(words, _LISTENING, LISTENING_WORDS), before.mix
    ours = {name: fields.pop(name) for name in list(fields) if name in Mix.__struct_fields__}
    return msgspec.structs.replace(before, **fields, mix=msgspec.structs.replace(mix, **ours))


def with_strip(words: Iterable[str], member: str, before: Listening) -> Listening:
    """The same for one member's strip; raises InvalidValue."""
    strip = msgspec.structs.replace(
        before.mix.strip_of(member), **_split(words, _STRIP, STRIP_WORDS)
    )
    return msgspec.structs.replace(before, mix=before.mix.with_strip(member, strip))


def with_channel(words: Iterable[str], number: int, before: Listening) -> Listening:
    """The same for one channel of one's own; raises InvalidValue."""
    channel = msgspec.structs.replace(
        before.mix.channel(number), **_split(words, _CHANNEL, CHANNEL_WORDS)
    )
    return msgspec.structs.replace(before, mix=before.mix.with_channel(number, channel))


def channel_number(text: str) -> int:
    """Read `1` to `4`; raises InvalidValue."""
    return int(check_channel(text.strip()))


def _split(words: Iterable[str], known: "dict[str, _Key]", rule: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        key, is_setting, value = word.partition("=")
        if not is_setting or key not in known:
            raise InvalidValue("hear", f"does not know {word!r}, but {rule}")
        field, parse = known[key]
        found[field] = parse(value, key)
    return found


def _number(text: str, key: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidValue(key, f"must be a number, not {text!r}") from None


def _db(text: str, key: str) -> float:
    return check_db(key, _number(text, key))


def _db_or_off(text: str, key: str) -> float | None:
    return None if text == "off" else _db(text, key)


def _pan_or_auto(text: str, key: str) -> float | None:
    return None if text == "auto" else _number(text, key)


def _is_on(text: str, key: str) -> bool:
    if text not in ("on", "off"):
        raise InvalidValue(key, f"must be on or off, not {text!r}")
    return text == "on"


def _channels(text: str, key: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise InvalidValue(key, f"must be 1, 2, 4 or all, not {text!r}")
    return check_send_channels(int(text))


_Key = tuple[str, Callable[[str, str], Any]]
_LISTENING: dict[str, _Key] = {
    "profile": ("profile", lambda text, _: profile_named(text).name),
    "bars": ("bars", parse_bars),
    "max-latency-ms": ("max_latency_ms", parse_max_latency_ms),
    "master": ("master_db", _db),
    "monitor": ("monitor_db", _db_or_off),
    "send": ("send_db", _db),
    "send-mute": ("send_mute", _is_on),
    "send-channels": ("send_channels", _channels),
}
_STRIP: dict[str, _Key] = {
    "gain": ("gain_db", _db),
    "pan": ("pan", _number),
    "mute": ("mute", _is_on),
    "solo": ("solo", _is_on),
}
_CHANNEL: dict[str, _Key] = {**_STRIP, "pan": ("pan", _pan_or_auto)}
