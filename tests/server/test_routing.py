"""A room's graph: who may change it, what everybody is told, and what gets through the server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from midipool.errors import Refused
from midipool.graph.graph import Graph
from midipool.graph.news import graph_of, heard
from midipool.messages import (
    AudioReport,
    ChatNews,
    GiveRole,
    GraphEdit,
    GraphNews,
    HandGraph,
    Hearing,
    HearOnly,
    LinkNodes,
    LinkRule,
    MemberKind,
    Message,
    Mute,
    Ok,
    ResetGraph,
    RoomGraph,
    SetGroup,
    SetMode,
    SetRecorder,
    StreamAnswer,
    UnlinkNodes,
)
from midipool_native.relay import Relay
from midipool_server.access.passwords import hashed
from midipool_server.access.state import Entry
from midipool_server.media_keys import RoomMedia
from midipool_server.media_relay import MediaRelay
from midipool_server.room import Room

from .simulation import ANNA, BERT, CARL, NAMES, SECOND, Simulation
from .test_midi_over_sockets import nothing_but, play
from .test_web import Server, receive

REMOTE = 9
NO_CARL = UnlinkNodes(id=1, source="carl", target="anna")
NO_BERT = UnlinkNodes(id=1, source="bert", target="anna")


class Band(Simulation):
    """A room whose clients know graphs, and one of them that only listens."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Graph()

    def enter(
        self, id: int, name: str = "", remote: bool = False, kind: MemberKind = "player"
    ) -> RoomGraph:
        parts, name = ["chat", "graph"], name or NAMES[id]
        new = f"{id:032x}"
        entry = Entry(kind=kind)
        _, out = self.room.join(self.now_us, id, name, "", remote, new, parts, entry)
        self.hear(self.take(out))
        [graph] = [o.message for o in out if o.to == id and isinstance(o.message, RoomGraph)]
        return graph

    def hear(self, out: list[Any]) -> None:
        for told in out:
            if isinstance(told.message, RoomGraph):
                self.known = graph_of(told.message)
            elif isinstance(told.message, GraphNews):
                self.known = heard(self.known, told.message)
        assert self.known == self.room.floor.graph

    def edit(
        self,
        edit: GraphEdit | HandGraph | SetMode | SetRecorder | GiveRole | Mute,
        id: int = ANNA,
    ) -> list[Any]:
        out = self.take(self.room.handle(self.now_us, id, edit))
        self.hear(out)
        return [o.message for o in out]

    def hears(self, target: str, source: str) -> bool:
        return self.room.floor.graph.link(source, target, "audio") is not None


@pytest.fixture
def band() -> Band:
    made = Band()
    for id in (ANNA, BERT, CARL):
        made.enter(id)
    return made


def test_a_change_is_answered_and_everybody_hears_of_it_and_who_did_it(band: Band) -> None:
    ok, news, line = band.edit(NO_BERT)
    assert isinstance(ok, Ok)
    assert isinstance(news, GraphNews)
    assert isinstance(line, ChatNews)
    assert (line.line.name, line.line.text) == ("anna", "let anna hear no bert")
    assert not band.hears("anna", "bert")


def test_who_comes_is_told_the_whole_graph(band: Band) -> None:
    band.edit(NO_BERT)
    told = graph_of(band.enter(4, "dora"))
    assert told.link("bert", "anna", "audio") is None
    assert set(told.nodes) >= {"anna", "bert", "carl"}


def test_a_member_always_says_what_it_hears_itself(band: Band) -> None:
    band.edit(SetMode(id=1, mode="leader", leader="carl"))
    band.edit(UnlinkNodes(id=1, source="anna", target="bert"), BERT)
    band.edit(HearOnly(id=1, target="bert", sources=("@click",)), BERT)
    with pytest.raises(Refused, match="carl leads this room"):
        band.edit(UnlinkNodes(id=1, source="carl", target="anna"), BERT)
    with pytest.raises(Refused, match="carl leads"):
        band.edit(ResetGraph(id=1), BERT)
    band.edit(UnlinkNodes(id=1, source="anna", target="carl"), CARL)
    # Who came first is the host, who may all.
    band.edit(UnlinkNodes(id=1, source="bert", target="carl"), ANNA)
    band.enter(REMOTE, "desk", remote=True)
    with pytest.raises(Refused, match="carl leads"):
        band.edit(UnlinkNodes(id=1, source="carl", target="bert"), REMOTE)


def test_who_is_silenced_gives_nothing_and_says_what_it_hears(band: Band) -> None:
    band.edit(GiveRole(id=1, member="bert", role="listener"))
    assert not band.hears("anna", "bert")
    assert band.hears("bert", "anna")
    band.edit(UnlinkNodes(id=1, source="anna", target="bert"), BERT)
    for edit in (NO_CARL, SetGroup(id=1, name="@g", members=("anna",)), ResetGraph(id=1)):
        with pytest.raises(Refused, match="you are a listener here"):
            band.edit(edit, BERT)
    band.edit(GiveRole(id=1, member="bert", role="player"))
    assert band.hears("anna", "bert")
    band.edit(Mute(id=1, member="carl"))
    assert not band.hears("anna", "carl")
    band.edit(Mute(id=1, member="carl", muted=False))
    assert band.hears("anna", "carl")


def test_who_comes_back_has_its_links_again(band: Band) -> None:
    band.edit(NO_BERT)
    band.hear(band.take(band.room.leave(band.now_us, BERT)))
    assert "bert" not in band.known.nodes
    band.enter(BERT)
    assert not band.hears("anna", "bert")
    band.hear(band.take(band.room.lost(band.now_us, BERT)))
    band.enter(7, "bert")
    assert not band.hears("anna", "bert")


def test_who_comes_back_under_another_name_has_them_too(band: Band) -> None:
    band.edit(NO_BERT)
    token = f"{BERT:032x}"
    _, out = band.room.join(band.now_us, 8, "Bertha", token, False, "0" * 32, ["graph"])
    band.hear(out)
    assert not band.hears("anna", "Bertha")
    assert "bert" not in band.known.nodes


def test_a_member_that_has_vanished_is_named(band: Band) -> None:
    band.hear(band.take(band.room.leave(band.now_us, BERT)))
    with pytest.raises(Refused, match="nobody is called 'bert' here: anna, carl, click"):
        band.edit(LinkNodes(id=1, source="bert", target="anna", gain_db=-6.0))


def test_a_flood_of_changes_ends(band: Band) -> None:
    for number in range(200):
        band.edit(LinkNodes(id=1, source="bert", target="anna", gain_db=1.0 + number % 2))
    with pytest.raises(Refused, match="too often"):
        band.edit(ResetGraph(id=1))


def test_a_room_that_begins_anew_is_handed_the_graph_once(band: Band) -> None:
    rule = LinkRule("bert", "anna", "audio", linked=False)
    assert band.enter(4, "dora").hand
    assert band.edit(HandGraph([], [rule]), BERT)
    assert not band.hears("anna", "bert")
    assert band.edit(HandGraph([], [LinkRule("@all", "@all", "audio", linked=False)]), CARL) == []
    assert band.hears("anna", "carl")
    band.edit(ResetGraph(id=1))
    band.run(200 * SECOND)
    assert band.edit(HandGraph([], [rule]), BERT) == []


def test_a_recording_that_is_played_hears_nobody(band: Band) -> None:
    band.enter(5, "tape", kind="playback")
    assert not band.hears("tape", "anna")
    assert band.hears("anna", "tape")


def test_a_name_like_a_groups_is_refused_at_the_door(band: Band) -> None:
    with pytest.raises(Refused, match="begins with @"):
        band.enter(6, "@rhythm")


def with_two() -> Room:
    """A room that has sound, with Anna and Bert."""
    media = RoomMedia(1, 0, lambda: b"k" * 32, iter(range(1, 100)))
    room = Room("jam", "c10c", 8765, media=media)
    for id in (ANNA, BERT):
        room.join(0, id, NAMES[id], "", False, f"{id:032x}")
    return room


def test_the_relay_is_told_who_hears_whom(
    relay: tuple[Relay, dict[tuple[int, int], bool]],
) -> None:
    made, links = relay
    room, followed = with_two(), MediaRelay(made)
    followed.follow(room)
    anna, bert = room.members[ANNA].sender, room.members[BERT].sender
    assert links == {}
    room.handle(0, ANNA, NO_BERT)
    followed.follow(room)
    assert links == {(bert, anna): False}
    # Who joins anew has another id, under which it is not passed on either.
    room.join(0, 7, "bert", f"{BERT:032x}", False, "0" * 32)
    followed.follow(room)
    again = room.members[7].sender
    assert again != bert
    assert links[again, anna] is False
    room.handle(0, ANNA, ResetGraph(id=1))
    followed.follow(room)
    assert links[again, anna] is True
    followed.follow(room)


def test_who_refuses_a_stream_is_not_sent_it_by_the_relay(
    relay: tuple[Relay, dict[tuple[int, int], bool]],
) -> None:
    made, links = relay
    room, followed = with_two(), MediaRelay(made)
    followed.follow(room)
    anna, bert = room.members[ANNA].sender, room.members[BERT].sender
    said: list[tuple[StreamAnswer | None, bool]] = [
        ("accepted", True),
        ("refused", False),
        ("failed", True),
        ("refused", False),
        (None, True),
    ]
    for second, (answer, passed_on) in enumerate(said):
        hearing = Hearing("bert", "jam", answer=answer)
        room.handle(second * SECOND, ANNA, AudioReport([hearing]))
        followed.follow(room)
        assert links.get((bert, anna), True) is passed_on
    assert (anna, bert) not in links
    # Whom the graph does not link either is not linked by an answer.
    room.handle(9 * SECOND, ANNA, NO_BERT)
    followed.follow(room)
    room.handle(9 * SECOND, ANNA, AudioReport([Hearing("bert", "jam", answer="accepted")]))
    followed.follow(room)
    assert links[bert, anna] is False


TAPE = "recorder anna"
RECORDS, ENDS = SetRecorder(id=1, recording=True), SetRecorder(id=1, recording=False)


def test_what_only_a_recorder_hears_is_relayed_as_long_as_it_records(
    relay: tuple[Relay, dict[tuple[int, int], bool]],
) -> None:
    made, links = relay
    room, followed = with_two(), MediaRelay(made)
    anna, bert = room.members[ANNA].sender, room.members[BERT].sender
    cut_tape = UnlinkNodes(id=1, source="bert", target=TAPE)
    steps: list[tuple[Message, bool]] = [(NO_BERT, False), (RECORDS, True), (cut_tape, False)]
    for message, passed_on in steps:
        room.handle(0, ANNA, message)
        followed.follow(room)
        assert links[bert, anna] is passed_on
    assert (anna, bert) not in links


def test_who_records_says_what_is_recorded_and_its_recorder_goes_when_it_ends(band: Band) -> None:
    band.edit(SetMode(id=1, mode="leader", leader="carl"))
    ok, news = band.edit(RECORDS, BERT)
    assert isinstance(ok, Ok)
    assert isinstance(news, GraphNews)
    assert [(node.name, node.kind, node.of) for node in news.nodes] == [
        ("recorder bert", "recorder", "bert")
    ]
    assert len(band.edit(RECORDS, BERT)) == 1
    band.edit(UnlinkNodes(id=1, source="carl", target="recorder bert"), BERT)
    band.edit(SetRecorder(id=1, recording=True), CARL)
    with pytest.raises(Refused, match="carl leads this room"):
        band.edit(UnlinkNodes(id=1, source="carl", target="recorder carl"), BERT)
    # Who comes back may have been started anew: it says again that it records.
    old = band.room.members[BERT].token
    _, out = band.room.join(0, 7, "bertie", old, False, "0" * 32, ["graph"])
    band.hear(band.take(out))
    assert set(band.known.owners) == {"recorder carl"}
    band.edit(RECORDS, 7)
    assert not band.hears("recorder bertie", "carl")
    band.edit(ENDS, 7)
    assert set(band.known.owners) == {"recorder carl"}
    band.hear(band.take(band.room.leave(0, CARL)))
    assert band.known.owners == {}
    band.enter(REMOTE, "desk", remote=True)
    with pytest.raises(Refused, match="a remote records nothing"):
        band.edit(RECORDS, REMOTE)


@pytest.fixture
def relay(
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Relay, dict[tuple[int, int], bool]]:
    """A relay that only notes what it is told of links."""
    links: dict[tuple[int, int], bool] = {}

    class Noting(Relay):
        def __init__(self) -> None:
            pass

        def add(self, sender: int, room: int, key_id: int, key: bytes) -> None:
            pass

        def set_key(self, room: int, key_id: int, key: bytes) -> None:
            pass

        def member(self, sender: int) -> None:
            pass

        def remove(self, sender: int) -> None:
            pass

        def link(self, sender: int, listener: int, linked: bool) -> None:
            links[sender, listener] = linked

    return Noting(), links


# ---- over sockets ----


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def ask(socket: aiohttp.ClientWebSocketResponse, **edit: Any) -> dict[str, Any]:
    """Its answer."""
    await socket.send_json({"id": 5, **edit})
    while (said := json.loads(await socket.receive_str()))["type"] not in ("ok", "error"):
        pass
    return dict(said)


NOTE, DRUM, WHEEL = [1, "903c40"], [2, "993c40"], [3, "b00140"]


async def test_midi_goes_where_the_graph_says_and_what_sounds_is_ended(server: Server) -> None:
    bass, keys = await server.join("bass"), await server.join("keys")
    drums = await server.join("drums")
    await play(bass, NOTE)
    for listener in (keys, drums):
        assert (await receive(listener, "midi_from"))["events"] == [NOTE]
    unlink = {"type": "graph_unlink", "id": 5, "source": "bass", "target": "keys"}
    await keys.send_json(unlink)
    said = await receive(keys, "midi_from")
    assert said == {"type": "midi_from", "name": "bass", "silence": True}
    assert (await receive(keys, "ok"))["id"] == 5
    await play(bass, NOTE)
    assert (await receive(drums, "midi_from"))["events"] == [NOTE]
    await nothing_but(keys, "members")
    ten = {"midi_channels": [10], "midi_kinds": ["notes"]}
    assert (await ask(keys, type="graph_link", source="bass", target="keys", **ten))["id"] == 5
    await play(bass, NOTE, DRUM, WHEEL)
    assert (await receive(keys, "midi_from"))["events"] == [DRUM]
    assert (await receive(drums, "midi_from"))["events"] == [NOTE, DRUM, WHEEL]
    # That it still plays is heard also by whom nothing of it reaches.
    await play(bass, WHEEL)
    assert await receive(keys, "midi_from") == {"type": "midi_from", "name": "bass"}
    # Her recorder gets all of it: she does too, and parts it herself.
    assert (await ask(keys, type="recorder", recording=True))["id"] == 5
    await play(bass, NOTE, DRUM)
    assert (await receive(keys, "midi_from"))["events"] == [NOTE, DRUM]


async def test_the_graph_by_http(server: Server) -> None:
    await server.join("bass")
    keys = await server.connect()
    await keys.send_json({"type": "hello", "version": 1, "name": "keys"})
    token = (await receive(keys, "welcome"))["token"]
    path = f"{server.address}/api/rooms/jam/graph"
    status, shown = await server.get("/api/rooms/jam/graph")
    assert (status, len(shown["links"])) == (200, 6)
    edit = {"type": "graph_link", "source": "bass", "target": "keys", "gain_db": -6}
    async with server.http.post(path, json=edit) as answer:
        body = await answer.json()
    assert answer.status == 200
    [made] = [link for link in body["links"] if link["gain_db"]]
    assert (made["target"], made["gain_db"]) == ("keys", -6.0)
    status, described = await server.get("/api/rooms/jam")
    assert [rule["gain_db"] for rule in described["graph"]["rules"]] == [-6.0]
    # A locked room: only what one hears oneself, by one's token.
    await ask(keys, type="mode", mode="locked")
    mine = {"type": "graph_unlink", "source": "bass", "target": "keys"}
    own = {"Authorization": f"Bearer {token}"}
    for headers, sent, wanted in (
        ({}, mine, (409, "locked")),
        (own, mine, (200, None)),
        ({"Authorization": "Bearer 00ff"}, mine, (409, "not_member")),
        (own, {**mine, "source": "ghost"}, (404, "no_such_node")),
        (
            own,
            {"type": "graph_link", "source": "bass", "target": "keys", "gain_db": 99},
            (400, None),
        ),
        (own, {"type": "start"}, (400, None)),
    ):
        async with server.http.post(path, json=sent, headers=headers) as answer:
            body = await answer.json()
        assert (answer.status, body.get("code")) == wanted, body
        assert "error" in body or answer.status == 200
    async with server.http.post(path, data=json.dumps(edit)) as answer:
        assert answer.status == 415
    async with server.http.post(
        path, data=b"[" * 9, headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 400
    # A room with a password shows itself to its members.
    server.host.lobby.rooms["jam"].access.state.password = hashed("secret", b"s" * 16)
    assert (await server.get("/api/rooms/jam/graph"))[0] == 403
    async with server.http.post(path, json=mine) as answer:
        assert answer.status == 403
    async with server.http.get(path, headers=own) as answer:
        assert answer.status == 200
    async with server.http.post(f"{server.address}/api/rooms/none/graph", json=edit) as answer:
        assert answer.status == 404
