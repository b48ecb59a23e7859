"""All of a room that a server comes back with after it was killed, as JSON. Pure."""

import logging
from typing import Any

import msgspec

from midipool import snapshot
from midipool.errors import InvalidValue, MidiPoolError
from midipool.messages import RoomName
from midipool.snapshot import VERSION as DOCUMENT_VERSION
from midipool_server.room import Room
from midipool_server.saving.section import Loading, Then

log = logging.getLogger(__name__)

VERSION = 1


class Body(msgspec.Struct, frozen=True):
    """What a room holds."""

    features: dict[str, msgspec.Raw]
    """States, by the features' keys."""
    document: dict[str, Any]
    """Sections of features that have no state of their own."""


class RoomState(msgspec.Struct, frozen=True):
    """A room, and when on which clock it was so."""

    midipool_state: int
    """The version of this."""
    name: RoomName
    clock_id: str
    room_us: int
    unix_us: int
    body: msgspec.Raw


def body_of(room: Room, now_us: int) -> bytes:
    """What a room holds; the same while nothing happens."""
    states: dict[str, object] = {}
    document: dict[str, Any] = {}
    for feature in room.features:
        state = feature.to_keep(now_us)
        if state is not None:
            states[feature.key] = state
            continue
        for section in feature.sections():
            said = section.save(now_us)
            if said is not None:
                document[section.name] = snapshot.fields.plain(said)
    return msgspec.json.encode({"features": states, "document": document})


def state_of(room: Room, body: bytes, now_us: int) -> bytes:
    """A file's content."""
    unix_us = room.unix_us(now_us)
    head = RoomState(VERSION, room.name, room.clock_id, now_us, unix_us, msgspec.Raw(body))
    return msgspec.json.encode(head)


def decode(data: bytes) -> RoomState:
    """A file's content again; raises InvalidValue."""
    try:
        state = msgspec.json.decode(data, type=RoomState)
        msgspec.json.decode(state.body, type=Body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidValue("state", f"is no room's ({error})") from None
    if state.midipool_state > VERSION:
        text = f"is of version {state.midipool_state}, which a newer midiPool wrote: update it"
        raise InvalidValue("state", text)
    return state


def bring_back(room: Room, state: RoomState, now_us: int) -> None:
    """Make a new room what it was; a feature that cannot be read begins anew, and says so."""
    then = _then(room, state, now_us)
    body = msgspec.json.decode(state.body, type=Body)
    for feature in room.features:
        if feature.key not in body.features:
            continue
        try:
            feature.bring_back(now_us, msgspec.json.decode(body.features[feature.key]), then)
        except (MidiPoolError, msgspec.MsgspecError) as error:
            text = "room %s: its %s begins anew, what was kept cannot be read: %s"
            log.warning(text, room.name, feature.key, error)
    _load_sections(room, body.document, now_us)


def _then(room: Room, state: RoomState, now_us: int) -> Then:
    """By how much room times are others; by the wall clock where the room's clock is another."""
    if state.clock_id == room.clock_id:
        return Then(0, True)
    return Then((now_us - room.unix_us(now_us)) - (state.room_us - state.unix_us), False)


def _load_sections(room: Room, said: dict[str, Any], now_us: int) -> None:
    loading = Loading(now_us, None, now_us)
    for feature in room.features:
        for section in feature.sections():
            if section.name not in said:
                continue
            document = {"midipool_room": DOCUMENT_VERSION, section.name: said[section.name]}
            try:
                found = snapshot.read(document).snapshot
                section.load(loading, getattr(found, section.name))
            except MidiPoolError as error:
                text = "room %s: %s begins anew, what was kept cannot be read: %s"
                log.warning(text, room.name, section.name, error)
