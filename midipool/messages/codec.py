"""Messages to JSON and back. Decoding names the field and the rule when something is wrong."""

import re
from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from midipool import PROTOCOL_VERSION
from midipool.errors import InvalidMessage, InvalidValue
from midipool.messages.access import INVITATION_RULE, PASSWORD_RULE
from midipool.messages.audio import FORMAT_RULE
from midipool.messages.chat import LINE_RULE
from midipool.messages.fields import (
    HEX_RULE,
    NAME_RULE,
    ROOM_NAME_RULE,
    TEXT_RULE,
    Capability,
    CommandId,
    MemberKind,
    Message,
    Name,
)
from midipool.messages.from_client import ClientMessage, Hello
from midipool.messages.from_server import ServerMessage
from midipool.messages.graph import GROUP_RULE
from midipool.messages.media import KEY_RULE, PWD_RULE, UFRAG_RULE
from midipool.messages.midi import MIDI_RULE
from midipool.messages.modules import OPTION_RULE, OPTION_TEXT_RULE
from midipool.messages.songs import NOTES_RULE, SONG_KEY_RULE

_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()

T = TypeVar("T")


class _OnlyId(msgspec.Struct):
    id: CommandId | None = None


def encode(message: Message) -> bytes:
    """JSON text of a message, UTF-8."""
    return _encoder.encode(message)


def decode_client(data: str | bytes) -> ClientMessage:
    """A message from a client; raises InvalidMessage."""
    return _decode(_client_decoder, data)


def decode_server(data: str | bytes) -> ServerMessage:
    """A message from the server; raises InvalidMessage."""
    return _decode(_server_decoder, data)


def check_name(name: str) -> str:
    """The name, if a member can have it; raises InvalidValue."""
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError:
        raise InvalidValue("name", f"must be {NAME_RULE}") from None


def hello(
    name: str,
    role: Literal["member", "remote"] = "member",
    token: str = "",
    capabilities: Sequence[Capability] = (),
    password: str | None = None,
    invitation: str = "",
    kind: MemberKind = "player",
) -> Hello:
    """A `hello` of this version."""
    return Hello(
        PROTOCOL_VERSION,
        name,
        role,
        token,
        list(capabilities),
        password=password,
        invitation=invitation,
        kind=kind,
    )


_RULES = {
    "name": NAME_RULE,
    "member": NAME_RULE,
    "reason": TEXT_RULE,
    "text": LINE_RULE,
    "notes": NOTES_RULE,
    "song_key": SONG_KEY_RULE,
    "by": NAME_RULE,
    "buffer": TEXT_RULE,
    "answer_reason": TEXT_RULE,
    "encoding": FORMAT_RULE,
    "code": FORMAT_RULE,
    "leader": NAME_RULE,
    "locked_by": NAME_RULE,
    "room": ROOM_NAME_RULE,
    "token": HEX_RULE,
    "clock_id": HEX_RULE,
    "data": MIDI_RULE,
    "to": NAME_RULE,
    "source": NAME_RULE,
    "target": NAME_RULE,
    "sources": NAME_RULE,
    "members": NAME_RULE,
    "gone": NAME_RULE,
    "group": GROUP_RULE,
    "key": KEY_RULE,
    "ufrag": UFRAG_RULE,
    "pwd": PWD_RULE,
    "password": PASSWORD_RULE,
    "invitation": INVITATION_RULE,
    "options": OPTION_RULE,
    "options[]": OPTION_TEXT_RULE,
}


def rule_in_words(text: str, field: str) -> str:
    """A regular expression says nothing to a musician: the rule's description does."""
    # An event is an array, so its bytes have a number in place of a name.
    last = re.sub(r"^events\[\d+\]\[1\]$", "data", field.replace("[...]", "[]").rpartition(".")[2])
    # A room's key for audio is hexadecimal, a song's is not.
    last = "song_key" if last == "key" and "0-9a-f" not in text else last
    last = "group" if last == "name" and "^@" in text else re.sub(r"\[\d+\]$", "", last)
    if last in _RULES and "regex" in text:
        return f"must be {_RULES[last]}"
    return text.removeprefix(f"{last}: ")


def _decode(decoder: "msgspec.json.Decoder[T]", data: str | bytes) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        text, _, path = str(error).replace("`key` in ", "").partition(" - at `$")
        unknown = re.search(r"unknown field `(.*)`", text)
        path = f"{path}.{unknown[1]}" if unknown else path
        field = path.replace("`", "").lstrip(".") or None
        words = f"{field}: {rule_in_words(text, field)}" if field else text
        raise InvalidMessage(words, field, _id_of(data)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidMessage(f"not JSON: {error}") from None


def _id_of(data: str | bytes) -> int | None:
    try:
        return msgspec.json.decode(data, type=_OnlyId).id
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
