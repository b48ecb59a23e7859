"""`midipool-client bridge-roc`: standard ROC senders and receivers in a room."""

import argparse
import asyncio
import logging
import signal
import socket
from typing import TYPE_CHECKING

from midipool.errors import Unavailable
from midipool_client.audio.options import (
    add_hearing_options,
    parse_media_port,
)

if TYPE_CHECKING:
    from midipool_client.audio.device_choice import RocChoice
    from midipool_client.audio.options import AudioOptions

log = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("url", help="ws://HOST:PORT/ROOM")
    parser.add_argument("--name", required=True, help="what the others see")
    _add_plain(parser.add_argument_group("plain ROC"))
    add_hearing_options(parser.add_argument_group("hearing the room"))
    parser.set_defaults(run=run)


def _add_plain(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--listen",
        metavar="[ADDRESS:]PORT",
        default="0.0.0.0:10001",
        help="where a sender sends to: source packets here, repair and control at the next two "
        "ports, or PORT,PORT,PORT (%(default)s)",
    )
    group.add_argument(
        "--from",
        metavar="ADDRESS",
        dest="only_from",
        help="take nothing of any other sender (without it: of one at a time, who speaks first)",
    )
    group.add_argument(
        "--send-to",
        metavar="HOST[:PORT]",
        help="where a receiver listens, in the same three ports; without it nothing is sent",
    )
    group.add_argument(
        "--rate",
        metavar="HZ",
        default="44100",
        help="44100, which roc-send and roc-recv speak, or 48000 for other programs (%(default)s)",
    )
    group.add_argument(
        "--fec",
        metavar="N+M",
        default="18+10",
        help="repair, both ways: source and repair packets of a block that is sent, or none: "
        "plain rtp (%(default)s)",
    )
    group.add_argument(
        "--packet-ms", metavar="MS", default="5", help="of a packet that is sent (%(default)s)"
    )
    group.add_argument(
        "--latency-ms",
        metavar="MS",
        default="120",
        help="how long what comes waits; repair needs a whole block of it (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Bridge until interrupted; raises MidiPoolError."""
    from midipool.messages import check_name
    from midipool_client.audio.addresses import local_addresses
    from midipool_client.audio_member import AudioMember
    from midipool_client.playing import play
    from midipool_client.roc_bridge.commands import fitting_commands
    from midipool_client.room_url import parse_room_url
    from midipool_native import host_clock, roc

    host_clock.set_off_for_tests()
    url = parse_room_url(options.url)
    name = check_name(options.name)
    choice = roc_choice(options)
    toward = choice.only_from or (choice.send_to[0] if choice.send_to else "192.0.2.1")
    own_host = local_addresses(0, toward)[0][0] if local_addresses(0, toward) else "127.0.0.1"
    for line in fitting_commands(choice, own_host, roc.payload_type(choice.rate_hz, 2)):
        log.info("%s", line)
    member = AudioMember(url, name, _audio_options(options, choice))

    async def bridge() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await play(member, stopped)

    asyncio.run(bridge())
    return 0


def roc_choice(options: argparse.Namespace) -> "RocChoice":
    """What the command line says of plain ROC; raises InvalidValue, or Unavailable for a host."""
    from midipool_client.audio.device_choice import RocChoice
    from midipool_client.roc_bridge import options as words

    listen = words.parse_listen(options.listen)
    rate_hz = words.parse_rate(options.rate)
    send_to = None
    if options.send_to is not None:
        there = words.parse_endpoints(options.send_to, "send-to")
        send_to = (_resolved(there.host), there.ports)
    only_from = options.only_from
    return RocChoice(
        rate_hz=rate_hz,
        fec=words.parse_fec(options.fec),
        packet_frames=int(words.parse_packet_ms(options.packet_ms) * rate_hz / 1000),
        latency_us=words.parse_latency_ms(options.latency_ms) * 1000,
        listen_host=listen.host,
        listen_ports=listen.ports,
        only_from=None if only_from is None else words.parse_address(only_from, "from"),
        send_to=send_to,
    )


def _audio_options(options: argparse.Namespace, choice: "RocChoice") -> "AudioOptions":
    from midipool.audio.listening import Listening
    from midipool_client.audio.options import AudioOptions, listening_options

    listening = listening_options(options, Listening())
    return AudioOptions(
        profile=listening.profile,
        bars=listening.bars,
        max_latency_ms=listening.max_latency_ms,
        media_port=parse_media_port(options.media_port),
        device=choice,
    )


def _resolved(host: str) -> str:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise Unavailable(f"send-to: {host!r} is not found: {error.strerror or error}") from None
    return str(found[0][4][0])
