"""The room as a document: asked for, put together of all parts, and loaded or not. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from midipool import snapshot
from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    PIECE_BYTES,
    LoadRoom,
    Message,
    MyPart,
    PartGiven,
    PartWanted,
    RoomSaved,
    SaveRoom,
)
from midipool.snapshot import Kept, MemberPart, Snapshot, document
from midipool.snapshot.document import Read
from midipool.snapshot.fields import printable
from midipool.snapshot.members import decode_part, encode_part
from midipool.transport import Recall
from midipool_server.authority import HOW_TO_ACT
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.rate_limit import RateLimit
from midipool_server.saving.incoming import Incoming
from midipool_server.saving.section import Loading, Section, Then

GATHER_US = 1_500_000
MOST_PARTS = 64
ASKS_A_SECOND, ASK_BURST = 0.5, 6.0

Conduct = Callable[[int, int, Recall], list[Outgoing]]


@dataclass(slots=True)
class _Gathering:
    """Members are asked for their parts; who does not answer in time has none."""

    id: int
    ends_us: int
    askers: list[tuple[int, int]]
    """Connection, and the id of its `room_save`."""
    missing: set[int]


class KeptDocuments(msgspec.Struct, frozen=True):
    """What waits for members that are not here, and what nobody knows."""

    unknown: Kept
    parts: dict[str, MemberPart]
    waiting: dict[str, str | None]


@dataclass
class Documents(Feature):
    """Saves and loads the room; `conduct` does what a document comes to, or votes on it."""

    key = "documents"
    floor: Floor
    room_name: str
    wall_clock: Callable[[int], str]
    """Room time in words, for people."""
    all_sections: Callable[[], Sequence[Section]]
    conduct: Conduct
    kept: Kept = field(default_factory=Kept)
    """What the document that was loaded last says that nobody knows."""
    parts: dict[str, MemberPart] = field(default_factory=dict)
    """What members said of themselves, or documents of them."""
    waiting: dict[str, str | None] = field(default_factory=dict)
    """Who is to be given a part when it comes, and who loaded that."""
    _gathering: _Gathering | None = None
    _gathered: int = 0
    _incoming: Incoming = field(default_factory=Incoming)
    _loaded: tuple[int, Read] | None = None
    _loads: int = 0
    _limit: RateLimit = field(default_factory=lambda: RateLimit(ASKS_A_SECOND, ASK_BURST))

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Saving, loading, and what members add."""
        return {SaveRoom: self._save, LoadRoom: self._load, MyPart: self._part}

    def sections(self) -> Sequence[Section]:
        """Mixes and effects, which are the members' clients'."""
        return [Section("members", lambda now_us: dict(self.parts) or None, self._load_parts)]

    # ---- what happens in the room ----

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """A part may wait for it."""
        if member.name not in self.waiting or "snapshots" not in member.capabilities:
            return []
        return [self._given(member, self.waiting.pop(member.name))]

    def renamed(self, old: str, new: str) -> None:
        """A part goes with its member."""
        if old in self.parts:
            self._keep(new, self.parts.pop(old))

    def cut(self, id: int) -> list[Outgoing]:
        """It is not waited for any more."""
        self._incoming.cut(id)
        if self._gathering is not None:
            self._gathering.missing.discard(id)
            self._gathering.askers = [a for a in self._gathering.askers if a[0] != id]
        return []

    def poll(self, now_us: int) -> list[Outgoing]:
        """Who has asked is answered."""
        gathering = self._gathering
        if gathering is None or (gathering.missing and now_us < gathering.ends_us):
            return []
        self._gathering = None
        if not gathering.askers:
            return []
        data = self.document(now_us)
        return [Outgoing(m, to) for to, id in gathering.askers for m in _pieces(id, data)]

    def next_deadline(self) -> int | None:
        """The end of waiting for parts."""
        gathering = self._gathering
        if gathering is None:
            return None
        return gathering.ends_us if gathering.missing else 0

    # ---- over a restart ----

    def to_keep(self, now_us: int) -> KeptDocuments:
        """What members cannot be asked for again."""
        parts = {name: self.parts[name] for name in self.waiting}
        return KeptDocuments(self.kept, parts, dict(self.waiting))

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """As it was."""
        kept = msgspec.convert(said, KeptDocuments)
        self.kept, self.parts = kept.unknown, dict(kept.parts)
        self.waiting = {name: by for name, by in kept.waiting.items() if name in self.parts}

    # ---- saving ----

    def saved(self, now_us: int) -> Snapshot:
        """The room as it is."""
        said = {section.name: section.save(now_us) for section in self.all_sections()}
        saved = self.wall_clock(now_us)
        return document.new(room=self.room_name, saved=saved, **said)

    def document(self, now_us: int) -> bytes:
        """The same in JSON; parts of members are left out where it would be too long."""
        whole = self.saved(now_us)
        here = set(self.floor.places.connected())
        everybody = whole.members or {}
        for names in (set(everybody), here, set[str]()):
            members = {name: part for name, part in everybody.items() if name in names}
            data = snapshot.encode(snapshot_with(whole, members), self.kept)
            if len(data) <= snapshot.MAX_BYTES:
                return data
        raise Refused("bad_snapshot", "the room is too large for a document: shorten its songs")

    def _save(self, now_us: int, id: int, save: SaveRoom) -> list[Outgoing]:
        if self.floor.places.acting(id) is None:
            raise Refused("not_member", f"only members save the room: {HOW_TO_ACT}")
        self._check_pace(now_us)
        if self._gathering is not None:
            self._gathering.askers.append((id, save.id))
            return []
        members = self.floor.places.members()
        asked = [m.id for m in members if m.connected and "snapshots" in m.capabilities]
        self._gathered += 1
        self._gathering = _Gathering(
            self._gathered, now_us + GATHER_US, [(id, save.id)], set(asked)
        )
        wanted = [Outgoing(PartWanted(self._gathered), member) for member in asked]
        return wanted or self.poll(now_us)

    def _part(self, now_us: int, id: int, said: MyPart) -> list[Outgoing]:
        """A member's own part came."""
        gathering = self._gathering
        if gathering is None or said.gather != gathering.id or id not in gathering.missing:
            return []
        gathering.missing.discard(id)
        member = self.floor.member(id, "a remote has no part in the room")
        self._keep(member.name, decode_part(said.data))
        return self.poll(now_us)

    # ---- loading ----

    def _load(self, now_us: int, id: int, piece: LoadRoom) -> list[Outgoing]:
        if self._incoming.is_first(id, piece.id):
            self.floor.check_change(now_us, id)
            self._check_pace(now_us)
        data = self._incoming.take(now_us, id, piece)
        if data is None:
            return []
        try:
            found = snapshot.decode(data)
        except InvalidValue as error:
            raise Refused("bad_snapshot", str(error), error.field) from None
        before, self._loads = self._loaded, self._loads + 1
        self._loaded = (self._loads, found)
        name = printable(found.snapshot.room)[:64] or "a room"
        section = found.snapshot.timeline
        recall = Recall(id=piece.id, load=self._loads, name=name, section=section)
        try:
            return self.conduct(now_us, id, recall)
        except (Refused, InvalidValue):
            self._loaded = before  # which the room may be voting on
            raise

    def check(self, loading: Loading, recall: Recall) -> None:
        """Raise Refused for what stands against any of its sections."""
        for section, said in self._said(self._found(recall)):
            section.check(loading, said)

    def load(self, loading: Loading, recall: Recall) -> list[Outgoing]:
        """The room becomes what was checked."""
        found = self._found(recall)
        self._loaded, self.kept = None, found.kept
        return [o for section, said in self._said(found) for o in section.load(loading, said)]

    def _found(self, recall: Recall) -> Read:
        if self._loaded is None or self._loaded[0] != recall.load:
            raise Refused("snapshot_busy", "something else was loaded meanwhile: load it again")
        return self._loaded[1]

    def _said(self, found: Read) -> list[tuple[Section, object]]:
        said = ((section, getattr(found.snapshot, section.name)) for section in self.all_sections())
        return [(section, value) for section, value in said if value is not None]

    def _load_parts(self, loading: Loading, parts: dict[str, MemberPart]) -> list[Outgoing]:
        here = {m.name: m for m in self.floor.places.members() if m.connected}
        told = []
        for name, part in parts.items():
            self._keep(name, part)
            member = here.get(name)
            if member is not None and "snapshots" in member.capabilities:
                told.append(self._given(member, loading.actor))
            else:
                self.waiting[name] = loading.actor
        return told

    def _given(self, member: Member, by: str | None) -> Outgoing:
        return Outgoing(PartGiven(encode_part(self.parts[member.name]), by), member.id)

    def _keep(self, name: str, part: MemberPart) -> None:
        self.parts.pop(name, None)
        self.parts[name] = part
        for old in list(self.parts)[:-MOST_PARTS]:
            del self.parts[old]
            self.waiting.pop(old, None)

    def _check_pace(self, now_us: int) -> None:
        if not self._limit.allow(now_us):
            text = "the room is saved and loaded too often: wait some seconds"
            raise Refused("snapshot_busy", text)


def snapshot_with(whole: Snapshot, members: dict[str, MemberPart]) -> Snapshot:
    """The same with these members' parts."""
    return document.new(
        **{f: getattr(whole, f) for f in whole.__struct_fields__[1:] if f != "members"},
        members=members or None,
    )


def _pieces(id: int, data: bytes) -> list[RoomSaved]:
    pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]
    last = len(pieces) - 1
    return [RoomSaved(id, piece, last - place) for place, piece in enumerate(pieces)]
