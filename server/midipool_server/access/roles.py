"""Which role each message needs: one row for each type that a client sends. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from midipool import messages as m
from midipool.errors import Refused
from midipool.messages import Message, Role

Need = Literal["anybody", "member", "player", "host"]
"""`anybody`: remotes that act for nobody too; `member`: listeners too; `player`: hosts too."""

NEEDS: Mapping[type[Message], Need] = MappingProxyType(
    {
        m.Hello: "anybody",
        m.ClockProbe: "anybody",
        m.MemberStatus: "anybody",
        # Where a listener can be reached, and how it hears the others.
        m.MediaOffer: "member",
        m.AudioReport: "member",
        m.Say: "member",
        m.Retell: "player",
        m.Start: "player",
        m.Stop: "player",
        m.Continue: "player",
        m.SetTempo: "player",
        m.Locate: "player",
        m.SetLoop: "player",
        m.SetMeter: "player",
        m.SetMode: "player",
        m.Ballot: "player",
        m.Takeover: "player",
        m.Midi: "player",
        m.AddSong: "player",
        m.ChangeSong: "player",
        m.RemoveSong: "player",
        m.MoveSong: "player",
        m.LoadSong: "player",
        m.HandSongs: "player",
        # What a listener hears itself is its own to say (routing.py).
        m.LinkNodes: "member",
        m.UnlinkNodes: "member",
        m.HearOnly: "member",
        m.SetRecorder: "member",
        m.SetGroup: "player",
        m.ResetGraph: "player",
        m.HandGraph: "player",
        m.SaveRoom: "member",
        m.LoadRoom: "player",
        m.MyPart: "member",
        m.Kick: "host",
        m.Ban: "host",
        m.Unban: "host",
        m.Mute: "host",
        m.GiveRole: "host",
        m.SetDoor: "host",
        m.Admit: "host",
        m.TurnAway: "host",
        m.SetPassword: "host",
        m.Invite: "host",
        m.Revoke: "host",
        m.AddModule: "host",
        m.StartModule: "host",
        m.StopModule: "host",
        m.RestartModule: "host",
        m.RemoveModule: "host",
    }
)
RANKS: Mapping[Role, int] = MappingProxyType({"listener": 0, "player": 1, "host": 2})
LEAST: Mapping[Need, Role] = MappingProxyType(
    {"anybody": "listener", "member": "listener", "player": "player", "host": "host"}
)


def check(role: Role, message: type[Message]) -> None:
    """Raise Refused unless this role may send such a message. What has no row is for players.

    The room's mode (authority.py) says further which of the players may change it.
    """
    need = NEEDS.get(message, "player")
    if RANKS[role] >= RANKS[LEAST[need]]:
        return
    if need == "host":
        raise Refused("not_host", "only a host of the room does this: ask one")
    raise Refused("listener", "you are a listener here: ask a host to make you a player")


def lower(one: Role, other: Role) -> Role:
    """The one that may do less."""
    return min(one, other, key=RANKS.__getitem__)
