"""Every role and every message of a client: which it may send, and what it is told if not."""

from typing import get_args

import pytest

from midipool import chat_commands
from midipool import messages as m
from midipool.errors import InvalidValue, Refused
from midipool.messages import ERROR_CODES, ClientMessage, Message, Role
from midipool.meter import Meter, Position
from midipool.timeline import Timeline
from midipool_server.access.roles import NEEDS, check

from .rooms import HOST, LISTENER, PLAYER, REMOTE, House, house

ALL, PLAYERS, HOSTS = "hpl", "hp", "h"
# Each message of the protocol, who may send it (host, player, listener), and one of it.
TABLE: dict[type[Message], tuple[str, Message]] = {
    m.Hello: (ALL, m.hello("x")),
    m.ClockProbe: (ALL, m.ClockProbe(t1_ns=1)),
    m.MemberStatus: (ALL, m.MemberStatus(1.0, 1.0, 0.0, 0.0, 0.0)),
    m.MediaOffer: (
        ALL,
        m.MediaOffer(
            to="paul", generation=1, ufrag="abcd", pwd="0123456789abcdefABCDEF", candidates=[]
        ),
    ),
    m.AudioReport: (ALL, m.AudioReport([])),
    m.Say: (ALL, m.Say(id=1, text="hello")),
    m.Retell: (PLAYERS, m.Retell([])),
    m.Start: (PLAYERS, m.Start(id=1)),
    m.Stop: (PLAYERS, m.Stop(id=1)),
    m.Continue: (PLAYERS, m.Continue(id=1)),
    m.SetTempo: (PLAYERS, m.SetTempo(id=1, bpm=99)),
    m.Locate: (PLAYERS, m.Locate(id=1, position=Position(3, 1))),
    m.SetLoop: (PLAYERS, m.SetLoop(id=1, loop=None)),
    m.SetMeter: (PLAYERS, m.SetMeter(id=1, meter=Meter(3, 4))),
    m.SetMode: (PLAYERS, m.SetMode(id=1, mode="vote")),
    m.Ballot: (PLAYERS, m.Ballot(id=1, vote=1, yes=True)),
    m.Takeover: (PLAYERS, m.Takeover([Timeline()])),
    m.Midi: (PLAYERS, m.Midi([])),
    m.AddSong: (PLAYERS, m.AddSong(id=1, name="Blue", bpm=90)),
    m.ChangeSong: (PLAYERS, m.ChangeSong(id=1, song=1)),
    m.RemoveSong: (PLAYERS, m.RemoveSong(id=1, song=1)),
    m.MoveSong: (PLAYERS, m.MoveSong(id=1, song=1)),
    m.LoadSong: (PLAYERS, m.LoadSong(id=1, song=1)),
    m.HandSongs: (PLAYERS, m.HandSongs(songs=[])),
    # What a listener hears itself: test_routing.py has the others.
    m.LinkNodes: (ALL, m.LinkNodes(id=1, source="paul", target="lisa", gain_db=-6)),
    m.UnlinkNodes: (ALL, m.UnlinkNodes(id=1, source="paul", target="lisa")),
    m.HearOnly: (ALL, m.HearOnly(id=1, target="lisa", sources=("@click",))),
    m.SetRecorder: (ALL, m.SetRecorder(id=1, recording=True)),
    m.SetGroup: (PLAYERS, m.SetGroup(id=1, name="@g", members=("paul",))),
    m.ResetGraph: (PLAYERS, m.ResetGraph(id=1)),
    m.HandGraph: (PLAYERS, m.HandGraph([], [])),
    m.SaveRoom: (ALL, m.SaveRoom(id=1)),
    m.LoadRoom: (PLAYERS, m.LoadRoom(id=1, data=b"{}", left=0)),
    m.MyPart: (ALL, m.MyPart(gather=1, data=b"{}")),
    m.Kick: (HOSTS, m.Kick(id=1, member="paul")),
    m.Ban: (HOSTS, m.Ban(id=1, member="paul")),
    m.Unban: (HOSTS, m.Unban(id=1, member="nick")),
    m.Mute: (HOSTS, m.Mute(id=1, member="paul")),
    m.GiveRole: (HOSTS, m.GiveRole(id=1, member="paul", role="listener")),
    m.SetDoor: (HOSTS, m.SetDoor(id=1, door="locked")),
    m.Admit: (HOSTS, m.Admit(id=1, member="nick")),
    m.TurnAway: (HOSTS, m.TurnAway(id=1, member="nick")),
    m.SetPassword: (HOSTS, m.SetPassword(id=1, password="secret")),
    m.Invite: (HOSTS, m.Invite(id=1)),
    m.Revoke: (HOSTS, m.Revoke(id=1, invitation="ticket")),
    m.AddModule: (HOSTS, m.AddModule(id=1, program="drums")),
    m.StartModule: (HOSTS, m.StartModule(id=1, name="drums")),
    m.StopModule: (HOSTS, m.StopModule(id=1, name="drums")),
    m.RestartModule: (HOSTS, m.RestartModule(id=1, name="drums")),
    m.RemoveModule: (HOSTS, m.RemoveModule(id=1, name="drums")),
}
BY_HOST = (m.Hello, m.ClockProbe, m.Midi, m.SetPassword)
"""Those that do not come to the room's features."""


def test_every_message_has_a_row_here_and_there() -> None:
    assert set(TABLE) == set(get_args(ClientMessage))
    assert set(NEEDS) == set(get_args(ClientMessage))
    assert all(type(message) is kind for kind, (_, message) in TABLE.items())


def told(house: House, id: int, message: Message) -> str:
    """The code of what it is refused with for what it is; empty if it is not."""
    try:
        house.room.handle(house.now_us, id, message)
    except (Refused, InvalidValue) as error:
        code = getattr(error, "code", "bad_value")
        assert code in ERROR_CODES
        return code if code in ("not_host", "listener") else ""
    except KeyError:
        assert isinstance(message, BY_HOST)  # who may was decided before
    return ""


@pytest.mark.parametrize("id", [HOST, PLAYER, LISTENER])
@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_a_role_may_do_what_its_row_says_and_nothing_else(kind: type[Message], id: int) -> None:
    may, message = TABLE[kind]
    jam = house()
    role: Role = jam.role(id)
    before = jam.room.describe(jam.now_us)
    code = told(jam, id, message)
    if role[0] in may:
        assert code == ""
        return
    assert code == ("not_host" if may == HOSTS else "listener")
    assert jam.room.describe(jam.now_us) == before
    with pytest.raises(Refused):
        check(role, kind)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_a_shell_does_what_its_member_may_and_none_is_no_host(kind: type[Message]) -> None:
    may, message = TABLE[kind]
    for id in (HOST, PLAYER, LISTENER):
        jam = house()
        jam.come(9, "desk", jam.room.members[id].token, remote=True)
        assert (told(jam, 9, message) == "") == (jam.role(id)[0] in may)
    assert (told(house(), REMOTE, message) == "") == (may != HOSTS)


@pytest.mark.parametrize("line", ["/start", "/tempo 99", "/yes", "/song 1"])
def test_a_command_in_the_chat_is_a_command(line: str) -> None:
    jam = house()
    jam.room.handle(jam.now_us, PLAYER, m.SetMode(id=1, mode="vote"))
    jam.room.handle(jam.now_us, PLAYER, m.Start(id=1))
    jam.room.handle(jam.now_us, PLAYER, m.AddSong(id=1, name="Blue", bpm=90))
    with pytest.raises(Refused) as caught:
        jam.say(LISTENER, m.Say(id=1, text=line))
    assert caught.value.code == "listener"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/kick lisa", m.Kick(id=7, member="lisa")),
        ("/BAN  lisa ", m.Ban(id=7, member="lisa")),
        ("/unban two words", m.Unban(id=7, member="two words")),
        ("/mute paul", m.Mute(id=7, member="paul")),
        ("/unmute paul", m.Mute(id=7, member="paul", muted=False)),
        ("/role two words listener", m.GiveRole(id=7, member="two words", role="listener")),
        ("/door ask", m.SetDoor(id=7, door="ask")),
        ("/lock", m.SetDoor(id=7, door="locked")),
        ("/unlock", m.SetDoor(id=7, door="open")),
        ("/admit nick", m.Admit(id=7, member="nick")),
        ("/turn-away nick", m.TurnAway(id=7, member="nick")),
    ],
)
def test_what_hosts_do_they_type_into_the_chat_too(line: str, said: Message) -> None:
    assert chat_commands.parse(line, 7) == said
    for id in (PLAYER, LISTENER, REMOTE):
        jam = house()
        before = jam.room.describe(jam.now_us)
        with pytest.raises(Refused):
            jam.say(id, m.Say(id=7, text=line))
        assert jam.room.describe(jam.now_us) == before
    by_chat, by_message = house(), house()
    assert told(by_chat, HOST, m.Say(id=7, text=line)) == told(by_message, HOST, said) == ""
    assert by_chat.room.describe(0)["access"] == by_message.room.describe(0)["access"]


@pytest.mark.parametrize("line", ["/kick", "/role paul", "/role boss", "/door shut", "/mute a\x00"])
def test_what_a_host_mistypes_does_nothing(line: str) -> None:
    jam = house()
    before = jam.room.describe(jam.now_us)
    with pytest.raises((Refused, InvalidValue)):
        jam.say(HOST, m.Say(id=1, text=line))
    assert jam.room.describe(jam.now_us) == before


def test_listeners_do_not_count_in_votes() -> None:
    jam = house()
    jam.does(PLAYER, m.SetMode(id=1, mode="vote"))
    jam.say(PLAYER, m.Start(id=2))
    assert jam.heard(m.Vote)[-1].needed == 2
    assert jam.heard(m.Vote)[-1].yes == ["paul"]
    jam.say(HOST, m.Ballot(id=3, vote=1, yes=True))
    assert jam.room.chain.last.playing
