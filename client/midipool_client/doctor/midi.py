"""Where midiPool's ports can be: JACK, PipeWire or rtmidi, and what that means. Pure."""

from typing import Literal

import msgspec

from midipool_client.doctor.finding import (
    Figure,
    Finding,
    Status,
    names_in_words,
    printable,
    unknown,
)

JackKind = Literal["JACK1", "JACK2", "PipeWire"]
LONG_PERIOD_MS = 25.0
START_JACK = "start JACK (`jackd -d alsa`, or `jackd -d dummy` without a sound card) or PipeWire"


class JackServerLook(msgspec.Struct, frozen=True):
    """A JACK server, as a client sees it for a second."""

    sample_rate: int
    period_frames: int
    realtime: bool
    xruns: int
    looked_ms: int
    ports: list[str]
    """Names of all MIDI ports, CLIENT:PORT."""
    clients: list[str]
    """Names of all clients that have a port of any kind."""


class MidiLook(msgspec.Struct, frozen=True):
    """What a process of its own found."""

    platform: str
    """sys.platform"""
    jack_library: str | None
    """Its path; None when there is no libjack."""
    jack_version: str
    """As the library says; may be empty."""
    jack_server: str
    """The name that is looked for."""
    jack: JackServerLook | None
    """None when no server answers."""
    jack_error: str
    """Why not, as far as it is known."""
    programs: list[str]
    """Sound servers that run."""
    sequencer: Literal["usable", "no permission", "absent"]
    """/dev/snd/seq"""
    apis: list[str] | None
    """rtmidi's, by their names in rtmidi (alsa, jack, core, winmm); None when it is missing."""
    ports: list[str]
    """MIDI ports that rtmidi sees, where midiPool would use it."""


def jack_kind(look: MidiLook) -> JackKind:
    """Whose library answers as libjack: its version says so, or where it lies."""
    if "pipewire" in f"{look.jack_library} {look.jack_version}".lower():
        return "PipeWire"
    major, _, rest = look.jack_version.partition(".")
    minor = rest.partition(".")[0]
    # JACK1 is 0.1xx and even in the middle, JACK2 is 1.9.x; a JACK2 that says nothing is usual.
    return "JACK1" if major == "0" and minor.isdecimal() and int(minor) > 0 else "JACK2"


def judge_library(look: MidiLook) -> Finding:
    """Is there a JACK library, and whose?"""
    name = "JACK library"
    if look.jack_library is None:
        text = "there is none: ports can only be made with rtmidi"
        advice = "install pipewire-jack (with PipeWire) or jackd2"
        if look.platform == "darwin":
            advice = "brew install jack, for ports that are exact to a frame"
        return Finding(name, "warning", text, advice, {"library": None})
    kind = jack_kind(look)
    version = f" {printable(look.jack_version)}" if look.jack_version else ""
    figures: dict[str, Figure] = {
        "kind": kind,
        "library": look.jack_library,
        "version": look.jack_version,
    }
    return Finding(name, "good", f"{kind}'s{version}: {look.jack_library}", "", figures)


def judge_server(look: MidiLook) -> Finding:
    """Does a JACK server answer, and how good is it?"""
    name = "JACK server"
    if look.jack_library is None:
        return unknown(name, "not looked for: there is no JACK library")
    if look.jack is None:
        return _no_server(name, look)
    jack = look.jack
    period_ms = 1000 * jack.period_frames / jack.sample_rate
    figures: dict[str, Figure] = {
        "kind": jack_kind(look),
        "sample_rate": jack.sample_rate,
        "period_frames": jack.period_frames,
        "period_ms": round(period_ms, 3),
        "realtime": jack.realtime,
        "xruns": jack.xruns,
        "looked_ms": jack.looked_ms,
    }
    text = (
        f"{jack_kind(look)} (server {printable(look.jack_server)}): {jack.sample_rate} Hz, "
        f"{jack.period_frames} frames, which is {period_ms:.1f} ms, "
        f"{'real-time' if jack.realtime else 'not real-time'}, "
        f"{jack.xruns} xruns in {jack.looked_ms / 1000:.1f} s"
    )
    advice = []
    if jack.xruns:
        advice.append("xruns move ticks: take longer periods, or close what keeps it busy")
    if not jack.realtime:
        advice.append("let it run in real time: see real-time permission, then start it anew")
    if period_ms > LONG_PERIOD_MS:
        advice.append("take shorter periods: changes wait for them")
    status: Status = "warning" if advice else "good"
    return Finding(name, status, text, "; ".join(advice), figures)


def _no_server(name: str, look: MidiLook) -> Finding:
    figures: dict[str, Figure] = {"programs": look.programs, "server": look.jack_server}
    text = f"none answers to the name {printable(look.jack_server)!r}"
    if look.jack_error:
        text += f" ({printable(look.jack_error, 160)})"
    if any(program.startswith("jack") for program in look.programs):
        advice = "JACK runs: as the same user? under another name (JACK_DEFAULT_SERVER)?"
    elif "pipewire" in look.programs and jack_kind(look) != "PipeWire":
        advice = (
            "PipeWire runs, but not under this JACK library: start the client with "
            "`pw-jack midipool-client ...` (package pipewire-jack)"
        )
    elif jack_kind(look) == "PipeWire":
        advice = "start PipeWire: systemctl --user start pipewire"
    else:
        advice = START_JACK
    return Finding(name, "warning", text, advice, figures)


def judge_sequencer(look: MidiLook) -> Finding:
    """Is there an ALSA sequencer?"""
    name, device = "ALSA sequencer", "/dev/snd/seq"
    figures: dict[str, Figure] = {"state": look.sequencer}
    if not look.platform.startswith("linux"):
        return Finding(name, "good", "not needed on this system", "", figures)
    if look.sequencer == "usable":
        return Finding(name, "good", f"{device} is there", "", figures)
    if look.sequencer == "no permission":
        advice = "sudo usermod -aG audio $USER; then log out and in again"
        return Finding(name, "warning", f"{device} may not be opened", advice, figures)
    if look.jack is not None:
        return Finding(name, "good", f"no {device}, which JACK does without", "", figures)
    return Finding(name, "warning", f"there is no {device}", "sudo modprobe snd_seq", figures)


def judge_rtmidi(look: MidiLook) -> Finding:
    """What is rtmidi built for?"""
    name = "rtmidi"
    if look.apis is None:
        return Finding(name, "bad", "python-rtmidi cannot be loaded", "pip install python-rtmidi")
    figures: dict[str, Figure] = {"apis": look.apis}
    if set(look.apis) - {"dummy"}:
        return Finding(name, "good", f"built for {', '.join(look.apis)}", "", figures)
    advice = "install python-rtmidi anew, with ALSA's headers there (libasound2-dev)"
    return Finding(name, "warning", "built for no MIDI system", advice, figures)


def judge_ports(look: MidiLook, device_name: str) -> Finding:
    """Where will the ports be, if `--midi auto` chooses?"""
    name = "MIDI ports"
    device = printable(device_name)
    if look.jack is not None:
        figures: dict[str, Figure] = {"backend": "jack"}
        text = (
            f"on {jack_kind(look)}, because its server runs: {device}:midi_receive and :midi_send"
        )
        return Finding(name, "good", text, "", figures)
    apis = look.apis or []
    figures = {"backend": "rtmidi"}
    virtual = f"virtual ports '{device} receive' and '{device} send'"
    if "alsa" in apis and look.sequencer == "usable":
        text = f"with rtmidi on ALSA, because no JACK server runs: {virtual}"
        return Finding(name, "good", text, "", figures)
    if "core" in apis:
        return Finding(name, "good", f"with rtmidi on CoreMIDI: {virtual}", "", figures)
    if "winmm" in apis:
        text = "Windows has no virtual MIDI ports"
        advice = "make one with loopMIDI, and name it: midipool-client join --midi-port NAME"
        return Finding(name, "warning", text, advice, figures)
    text = "none can be made: no JACK server runs, and there is no ALSA sequencer"
    if look.sequencer == "no permission":
        text = "none can be made: no JACK server runs, and the ALSA sequencer is not permitted"
    return Finding(name, "bad", text, START_JACK, {"backend": None})


def judge_others(look: MidiLook) -> Finding:
    """Which MIDI ports are there already?"""
    name = "other MIDI ports"
    ports = look.jack.ports if look.jack is not None else look.ports
    figures: dict[str, Figure] = {"ports": ports}
    if not ports:
        return Finding(name, "good", "there are none", "", figures)
    return Finding(name, "good", f"{len(ports)}: {names_in_words(ports)}", "", figures)


def judge_name(look: MidiLook, device_name: str) -> Finding:
    """Is the device's name free?"""
    name, device = "device name", printable(device_name)
    ports = look.jack.clients if look.jack is not None else look.ports
    taken = any(port.partition(":")[0] == device_name for port in ports)
    figures: dict[str, Figure] = {"name": device_name, "taken": taken}
    if not taken:
        return Finding(name, "good", f"{device} is free", "", figures)
    text = f"{device} is taken: by a midipool-client that runs, or by another program"
    advice = "end it, or join with another --device-name"
    return Finding(name, "warning", text, advice, figures)


def judge_midi(look: MidiLook, device_name: str) -> list[Finding]:
    """All of it."""
    return [
        judge_library(look),
        judge_server(look),
        judge_sequencer(look),
        judge_rtmidi(look),
        judge_others(look),
        judge_name(look, device_name),
        judge_ports(look, device_name),
    ]
