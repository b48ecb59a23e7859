"""`midipool-client join`: its options, and a player made of them."""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midipool_client import room_password
from midipool_client.announcing import add_option as add_announce_option
from midipool_client.announcing import announce_player
from midipool_client.audio.options import add_audio_options, audio_options, listening_options
from midipool_client.ports import PORT_WORDS

if TYPE_CHECKING:
    from midipool_client.live_settings import LiveSettings, Playing
    from midipool_client.player import Player
    from midipool_client.ports.output import PortOptions
    from midipool_client.room_url import RoomUrl
    from midipool_client.settings import Settings
    from midipool_client.sharing.options import SharingSettings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("url", help="ws://HOST:PORT/ROOM, or the link of an invitation")
    parser.add_argument("--name", required=True, help="what the others see")
    room_password.add_options(parser)
    _add_ports(parser.add_argument_group("ports"))
    _add_leading(parser.add_argument_group("leading the room"))
    _add_sharing(parser.add_argument_group("playing together in MIDI"))
    add_audio_options(parser.add_argument_group("hearing each other"))
    parser.add_argument(
        "--link",
        nargs="?",
        const="room-wins",
        choices=["room-wins", "session-wins"],
        help="bridge the room with the Ableton Link session of this network; whose tempo holds "
        "when they meet (room-wins)",
    )
    add_announce_option(parser.add_argument_group("the LAN"))
    add_page_options(parser.add_argument_group("the page"))
    parser.set_defaults(run=run)


def add_page_options(group: "argparse._ArgumentGroup") -> None:
    """Describe where the player's page is."""
    group.add_argument(
        "--page-port",
        metavar="PORT",
        default="0",
        help="TCP port, on this machine's loopback only, of the page with transport, mixer and "
        "health (any)",
    )
    group.add_argument("--no-page", action="store_true", help="serve no page")


def page_port_of(text: str) -> int:
    """Read `8080`; `0` is any. Raises InvalidValue."""
    from midipool_client.audio.options import parse_media_port

    return parse_media_port(text, "page-port")


def _add_ports(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--device-name", default="midiPool", help="of the MIDI device (%(default)s)")
    group.add_argument(
        "--midi",
        choices=["auto", "jack", "rtmidi"],
        default="auto",
        help="where the ports are: auto takes JACK (or PipeWire) if it runs, else rtmidi",
    )
    group.add_argument(
        "--midi-port",
        metavar="NAME",
        action="append",
        default=[],
        help="use an existing MIDI port instead of a virtual one (needed on Windows); may be given "
        f"several times, with settings: {PORT_WORDS}",
    )
    group.add_argument(
        "--virtual-port",
        metavar="NAME",
        action="append",
        default=[],
        help="one more virtual device; the same settings",
    )
    add_control_option(group)
    group.add_argument(
        "--offset-ms",
        metavar="MS",
        help="let everything on the first port come so much later, or earlier if negative; kept in "
        "the settings for this device, or for this DAW with --daw",
    )
    group.add_argument(
        "--daw",
        metavar="NAME",
        help="whose offset in the settings counts, for ports that have none of their own",
    )
    group.add_argument(
        "--continue-every-bar", action="store_true", help="send Continue (FB) on every bar line"
    )
    group.add_argument("--click", action="store_true", help="play a click on the first port")


def _add_sharing(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--share",
        metavar="KINDS",
        help="what of your playing the others get: notes, controllers, pitch_bend, programs, "
        "aftertouch, sysex; several with commas; all; none (default: all but sysex)",
    )
    group.add_argument("--share-channels", metavar="CHANNELS", help="of these only: 1-4,10")
    group.add_argument("--share-map", metavar="MAP", help="moved to other channels: 1:5,2:6")
    group.add_argument("--hear", metavar="KINDS", help="what of the others' playing you get")
    group.add_argument("--hear-channels", metavar="CHANNELS", help="of these only")
    group.add_argument("--hear-from", metavar="NAMES", help="of these members only; none: nobody")
    group.add_argument(
        "--hear-map",
        metavar="[NAME=]MAP",
        action="append",
        default=[],
        help="moved to other channels: bass=1:5, or 1:5 for all who have none of their own",
    )
    group.add_argument(
        "--hear-as",
        metavar="WHEN",
        help="now; grid:1/16: on the next line of that grid; bars:1: exactly so many bars later, "
        "for players who are far apart (default: now)",
    )


def add_control_option(group: "argparse._ArgumentGroup") -> None:
    """Describe where controllers and pedals come in."""
    group.add_argument(
        "--control-port",
        metavar="NAME",
        help="hear controllers and pedals from this existing MIDI port, not from a port of ours; "
        "nothing of it goes to the room",
    )


def _add_leading(group: "argparse._ArgumentGroup") -> None:
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--lead",
        dest="lead",
        action="store_const",
        const="lead",
        default="auto",
        help="take the DAW's clock and transport for commands, even if they look like an echo",
    )
    which.add_argument(
        "--follow",
        dest="lead",
        action="store_const",
        const="follow",
        help="never take anything from the DAW for a command",
    )

    group.add_argument(
        "--listener", action="store_true", help="only hear: nobody hears what is played here"
    )
    group.add_argument(
        "--song-position",
        choices=["auto", "sixteenths", "clocks"],
        default="auto",
        help="what the DAW counts in a song position: sixteenths, as MIDI says, or clocks (Ardour "
        "7.3); auto finds out where the DAW sends MMC as well",
    )


def run(options: argparse.Namespace) -> int:
    """Play until interrupted; raises MidiPoolError."""
    from midipool.messages import check_name
    from midipool_client import tokens
    from midipool_client.page.alone import page_beside
    from midipool_client.playing import play
    from midipool_client.room_url import RoomUrl, parse_room_url
    from midipool_native import host_clock

    host_clock.set_off_for_tests()
    url, name = room_password.given(parse_room_url(options.url), options), check_name(options.name)
    page_port = None if options.no_page else page_port_of(options.page_port)

    async def run(url: RoomUrl) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        playing = playing_of(options, url, name)
        async with page_beside(playing, page_port, options.device_name):
            await play(playing.player, stopped)

    room_password.asked_for(url, lambda url: asyncio.run(run(url)))
    if not url.invitation:  # who comes again by one is known by the token
        tokens.forget(url, name)  # the place is given up
    return 0


def playing_of(options: argparse.Namespace, url: "RoomUrl", name: str) -> "Playing":
    """A player as the options and the settings say, which are kept; raises MidiPoolError."""
    from midipool_client.live_settings import LiveSettings, Playing
    from midipool_client.player import Player
    from midipool_client.ports.words import offset_ms_of
    from midipool_client.recent_rooms import RecentRoom
    from midipool_client.settings import Settings
    from midipool_client.settings_watch import watch_settings
    from midipool_client.snapshots.own_part import OwnPart

    settings = Settings.load()
    if options.offset_ms is not None:
        offset_ms = offset_ms_of(options.offset_ms)
        settings.set_offset_ms(offset_ms, first_device(options), options.daw)
    listening = listening_options(options, settings.listening(options.device_name))
    settings.set_listening(listening, options.device_name)
    settings.save()
    audio = audio_options(options, listening)
    player = Player(url, name, ports_of(options, settings), options.lead, settings.click, audio)
    player.kind = "listener" if options.listener else "player"
    live = LiveSettings(settings, options.device_name, player)
    player.own_part = OwnPart(name, live, player.effects)
    player.on_joined = lambda: live.remember(RecentRoom(str(url), name))
    player.add(live.run())
    player.add(watch_settings(settings, lambda new: _obey(new, player, live, options)))
    if options.announce:
        player.add(announce_player(player))
    if options.link:
        from midipool_client.link.runner import bridge_link

        player.add(bridge_link(player, options.link))
    return Playing(player, live)


def first_device(options: argparse.Namespace) -> str:
    """The name of the first port's device; raises InvalidValue."""
    from midipool_client.ports.output import PortOptions
    from midipool_client.ports.words import port_of

    if not options.midi_port:
        return str(options.device_name)
    return port_of(options.midi_port[0], PortOptions())[0]


def sharing_of(options: argparse.Namespace) -> "SharingSettings":
    """What goes out and comes in, as the options say; raises InvalidValue."""
    from dataclasses import replace

    from midipool_client.sharing import options as words

    settings = words.SharingSettings()
    share, hear = settings.share, settings.hear
    if options.share is not None:
        share = replace(share, kinds=words.parse_kinds(options.share))
    if options.share_channels is not None:
        share = replace(share, channels=words.parse_channels(options.share_channels))
    if options.hear is not None:
        hear = replace(hear, kinds=words.parse_kinds(options.hear, "hear"))
    if options.hear_channels is not None:
        hear = replace(hear, channels=words.parse_channels(options.hear_channels, "hear-channels"))
    settings = replace(settings, share=share, hear=hear)
    if options.share_map is not None:
        settings = replace(settings, share_map=words.parse_map(options.share_map, "share-map"))
    if options.hear_from is not None:
        settings = replace(settings, hear_from=words.parse_senders(options.hear_from))
    if options.hear_as is not None:
        settings = replace(settings, hear_as=words.parse_hear_as(options.hear_as))
    for text in options.hear_map:
        name, moves = words.parse_sender_map(text)
        if name is None:
            settings = replace(settings, hear_map=moves)
        else:
            settings = replace(settings, hear_maps={**settings.hear_maps, name: moves})
    return settings


def _obey(
    settings: "Settings", player: "Player", live: "LiveSettings", options: argparse.Namespace
) -> None:
    """The settings were changed while we play."""
    for index, port in enumerate(player.ports.ports):
        said = port.output.options
        if not said.own_offset:
            name = said.choice.midi_port or said.choice.device_name
            player.ports.set_offset_ms(index, settings.offset_ms(name, options.daw))
    live.file_changed(settings)


def ports_of(options: argparse.Namespace, settings: "Settings") -> "Sequence[PortOptions]":
    """The ports: the device's own unless existing ones are named, then the further ones."""
    from dataclasses import replace

    from midipool_client.engine.sinks import SinkChoice
    from midipool_client.ports.output import PortOptions
    from midipool_client.ports.words import port_of

    def made(device: str, port: PortOptions, choice: SinkChoice) -> PortOptions:
        offset_ms = port.offset_ms if port.own_offset else settings.offset_ms(device, options.daw)
        return replace(port, choice=choice, offset_ms=offset_ms)

    plain = PortOptions(
        continue_every_bar=options.continue_every_bar,
        sharing=sharing_of(options),
        song_position=options.song_position,
    )
    ports: list[PortOptions] = []
    for words in options.midi_port:
        existing, port = port_of(words, plain)
        ports.append(made(existing, port, SinkChoice(options.midi, options.device_name, existing)))
    if not ports:
        choice = SinkChoice(options.midi, options.device_name)
        ports.append(made(options.device_name, plain, choice))
    control = replace(ports[0].choice, control=True, control_port=options.control_port)
    ports[0] = replace(ports[0], choice=control)
    if options.click:
        ports[0] = replace(ports[0], click=True)
    for words in options.virtual_port:
        device, port = port_of(words, plain)
        ports.append(made(device, port, SinkChoice(options.midi, device)))
    return ports
