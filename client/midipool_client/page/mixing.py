"""What becomes of how we listen, and of the click, by a page's request. Pure."""

from typing import Any

import msgspec
from msgspec import UNSET

from midipool.audio.listening import Listening
from midipool.audio.strips import Strip
from midipool.click import ClickSettings
from midipool_client.page.messages import SetClick, SetListening, SetMix, SetStrip


def listening_after(before: Listening, request: SetStrip | SetMix | SetListening) -> Listening:
    """How we listen then; raises InvalidValue."""
    match request:
        case SetStrip():
            return _with_strip(before, request)
        case SetMix():
            mix = msgspec.structs.replace(before.mix, **_given(request))
            return msgspec.structs.replace(before, mix=mix)
        case SetListening():
            return msgspec.structs.replace(before, **_given(request))


def click_after(before: ClickSettings, request: SetClick) -> ClickSettings:
    """How the click sounds then; raises InvalidValue."""
    return msgspec.structs.replace(before, **_given(request))


def _with_strip(before: Listening, request: SetStrip) -> Listening:
    strip = msgspec.structs.replace(before.mix.strip_of(request.member), **_given(request))
    strips = {name: kept for name, kept in before.mix.strips.items() if name != request.member}
    if strip != Strip():
        strips[request.member] = strip
    mix = msgspec.structs.replace(before.mix, strips=strips)
    return msgspec.structs.replace(before, mix=mix)


def _given(request: msgspec.Struct) -> dict[str, Any]:
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    return {n: v for n, v in values.items() if v is not UNSET and n not in ("id", "member")}
