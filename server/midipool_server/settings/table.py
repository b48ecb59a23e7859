"""Every setting of the server, once. Pure.

A line here is a key of the file (`max_rooms = 50`), a variable of the environment
(`MIDIPOOL_MAX_ROOMS`), a flag (`--max-rooms`), a row of docs/operating.md, and a typed attribute.
What several settings have to do with each other is said in `together`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool_server.public_address import PROXIES

Port = Annotated[int, Meta(ge=1, le=65535)]
PortOrNone = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Line = Annotated[str, Meta(max_length=64)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]


def about(text: str, secret: bool = False) -> Meta:
    """What a setting does; a secret one is never shown, and is no flag: others see those in ps."""
    return Meta(description=text, extra={"secret": secret})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, with what holds where nobody says otherwise."""

    host: Annotated[str, about("address to listen on")] = "127.0.0.1"
    port: Annotated[Port, about("TCP, and UDP for clock probes")] = 8765
    udp: Annotated[bool, about("answer clock probes over UDP, not over the WebSocket only")] = True
    media: Annotated[bool, about("relay audio")] = True
    media_port: Annotated[
        PortOrNone | None,
        about("UDP for the relay of audio and for STUN (one above port); 0: none"),
    ] = None
    stun_port: Annotated[
        PortOrNone | None,
        about("UDP for STUN alone: a second port shows what a NAT does (one above that); 0: none"),
    ] = None
    max_rooms: Annotated[Count, about("rooms on this server")] = 1000
    max_members: Annotated[Count, about("members of a room")] = 64
    list_rooms: Annotated[
        bool,
        about(
            "tell everybody which rooms there are, at / and /api/rooms (else whoever knows a "
            "room's name can come in)"
        ),
    ] = False
    announce: Annotated[
        bool,
        about("tell the LAN that this server is there, unless host is loopback or behind_proxy"),
    ] = True
    announce_name: Annotated[
        Line | None, about("what the server is called on the LAN (else this machine's name)")
    ] = None
    announce_room: Annotated[
        Line | None, about("a room that the LAN is told to come to, also while nobody is in it")
    ] = None
    until_input_ends: Annotated[
        bool, about("end when standard input does: for a program that starts the server")
    ] = False
    plain_text: Annotated[
        bool,
        about(
            "serve without TLS beyond this machine: whoever can listen on the way reads passwords "
            "and the keys of the rooms' audio"
        ),
    ] = False
    tls_cert: Annotated[str, about("file with the certificate and its chain, PEM")] = ""
    tls_key: Annotated[str, about("file with its key, PEM; both are read again at SIGHUP")] = ""
    behind_proxy: Annotated[
        bool,
        about("a proxy does TLS: believe its Forwarded, and X-Forwarded-Proto, -Host and -For"),
    ] = False
    proxies: Annotated[
        list[str],
        about("addresses and networks of the proxies that are believed"),
    ] = msgspec.field(default_factory=lambda: list(PROXIES))
    invited_only: Annotated[
        bool,
        about("let nobody in without an invitation, but into rooms whose password they know"),
    ] = False
    public_url: Annotated[
        str, about("how players reach this server, for links: https://jam.example")
    ] = ""
    state_dir: Annotated[
        str,
        about(
            "folder for what outlives the server: the key of invitations, passwords, and, if it "
            "or STATE_DIRECTORY is given, rooms, which come back with the server "
            "(STATE_DIRECTORY, else midipool-server below XDG_STATE_HOME or ~/.local/state)"
        ),
    ] = ""
    modules: Annotated[
        str, about("TOML file of programs that the server starts in rooms, as their members")
    ] = ""
    max_modules: Annotated[Count, about("how many of them run at once, in all rooms")] = 32
    audit_log: Annotated[
        str, about("file for who was let in, refused and removed, and by whom: JSON lines")
    ] = ""
    max_messages: Annotated[Count, about("messages a second from one connection, but MIDI")] = 50
    max_midi_messages: Annotated[Count, about("the same of MIDI, each up to 5 ms of it")] = 1000
    max_packets: Annotated[Count, about("packets of audio a second from one member, relayed")] = (
        2000
    )
    max_kbits: Annotated[Count, about("kilobits of audio a second from one member, relayed")] = (
        16_000
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("the least that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], about("lines for people, or an object a line for programs")
    ] = "text"
    metrics: Annotated[bool, about("answer /metrics, for Prometheus")] = True
    metrics_host: Annotated[
        str, about("address of metrics_port; whoever reaches it can read the metrics")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        PortOrNone,
        about("a TCP port for /metrics, /healthz and /readyz alone; 0: /metrics is at port"),
    ] = 0
    metrics_rooms: Annotated[
        bool, about("tell members by room in /metrics: a time series for each room's name")
    ] = False
    drain_s: Annotated[
        Seconds,
        about("how long SIGTERM lets members play on, and takes no new ones; 0: not at all"),
    ] = 5.0
    idle_s: Annotated[
        Annotated[float, Meta(ge=1, le=3600)],
        about("a connection that sends no whole request for so long is closed"),
    ] = 30.0
