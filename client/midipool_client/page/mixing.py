"""What becomes of how we listen, of the click and of the page, by a page's request. Pure."""

from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from midipool.audio.listening import Listening
from midipool.click import ClickSettings
from midipool_client.page.messages import (
    SetChannel,
    SetClick,
    SetListening,
    SetMix,
    SetPage,
    SetStrip,
)
from midipool_client.page_settings import PageSettings

ListeningRequest = SetStrip | SetChannel | SetMix | SetListening
_IDENTITY = ("id", "member", "channel")


def listening_after(before: Listening, request: ListeningRequest) -> Listening:
    """How we listen then; raises InvalidValue."""
    match request:
        case SetStrip():
            strip = replace(before.mix.strip_of(request.member), **_given(request))
            return replace(before, mix=before.mix.with_strip(request.member, strip))
        case SetChannel():
            channel = replace(before.mix.channel(request.channel), **_given(request))
            return replace(before, mix=before.mix.with_channel(request.channel, channel))
        case SetMix():
            return replace(before, mix=replace(before.mix, **_given(request)))
        case SetListening():
            return replace(before, **_given(request))


def click_after(before: ClickSettings, request: SetClick) -> ClickSettings:
    """How the click sounds then; raises InvalidValue."""
    return replace(before, **_given(request))


def page_after(before: PageSettings, request: SetPage) -> PageSettings:
    """How the page is set then."""
    return replace(before, **_given(request))


def _given(request: msgspec.Struct) -> dict[str, Any]:
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    return {n: v for n, v in values.items() if v is not UNSET and n not in _IDENTITY}
